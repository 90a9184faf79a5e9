# One image for nodes and gateways; the command says which. `docker build -t ringraft .`

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:20-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM node:20-bookworm-slim
# As process 1, tini passes signals on and reaps; Node.js itself does neither there.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* \
  && mkdir /data \
  && chown node:node /data
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist/apps ./dist/apps
COPY --from=build /app/dist/libs ./dist/libs
COPY deploy/docker/health.mjs ./
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
VOLUME ["/data"]
# A node: gRPC, and health with metrics. A gateway: HTTP.
EXPOSE 7001 7101 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["node", "health.mjs", "/livez"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "dist/apps/raft-node/bundle/main.js"]
