import { type DynamicModule, Module } from '@nestjs/common';
import { LOG, type Log } from './log.js';

/** Gives every module of the process the one `Log`, under the token `LOG`. */
@Module({})
export class LoggingModule {
  static forRoot(log: Log): DynamicModule {
    return {
      module: LoggingModule,
      global: true,
      providers: [{ provide: LOG, useValue: log }],
      exports: [LOG],
    };
  }
}
