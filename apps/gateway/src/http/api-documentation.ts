import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

/** `GET /openapi.json`, and a page at `/docs` that loads nothing from another host. */
export function serveApiDocumentation(app: INestApplication, version: string): void {
  const description = new DocumentBuilder()
    .setTitle('Ringraft')
    .setDescription('A sharded, replicated, strongly consistent key-value database.')
    .setVersion(version)
    .build();
  SwaggerModule.setup('docs', app, () => withOptionalVerbose(SwaggerModule.createDocument(app, description)), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Ringraft API',
    swaggerOptions: { validatorUrl: null },
  });
}

/** The health endpoints come from a lib that knows no OpenAPI, which takes every parameter for a required one. */
function withOptionalVerbose(document: OpenAPIObject): OpenAPIObject {
  for (const path of ['/livez', '/readyz']) {
    for (const parameter of document.paths[path]?.get?.parameters ?? []) {
      if ('name' in parameter && parameter.name === 'verbose') parameter.required = false;
    }
  }
  return document;
}
