import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** `GET /openapi.json`, and a page at `/docs` that loads nothing from another host. */
export function serveApiDocumentation(app: INestApplication, version: string): void {
  const description = new DocumentBuilder()
    .setTitle('Ringraft')
    .setDescription('A sharded, replicated, strongly consistent key-value database.')
    .setVersion(version)
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, description), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Ringraft API',
    swaggerOptions: { validatorUrl: null },
  });
}
