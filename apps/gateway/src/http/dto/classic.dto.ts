import { ApiProperty } from '@nestjs/swagger';

export class ClassicForm {
  @ApiProperty({ description: 'Routes the request', example: 'mykey' })
  key!: string;

  @ApiProperty({
    description: 'SET|key|value, GET|key| or DELETE|key|; only the first two bars separate',
    example: 'SET|mykey|myvalue',
  })
  request!: string;
}

export class ClassicAnswer {
  @ApiProperty({
    description:
      'For GET 1|value, or 0| when the key is not there; otherwise empty. Bytes that are no UTF-8 are shown as U+FFFD.',
    example: '1|myvalue',
  })
  response!: string;

  @ApiProperty({ example: 'SUCCESS' })
  error_code!: string;
}
