# One image for both services: `berth server` and `berth agent` (docker-compose.yml runs them).
#
# It needs nothing from an image registry but its base: any image with Node 24 or newer, npm and a shell. To give another:
#
#   docker build --build-arg BASE=my-registry/node:24 -t berth .
#   BERTH_BASE=my-registry/node:24 docker compose up --build
#
# npm packages come from the registry that npm is configured for (a .npmrc beside this file is taken along).
ARG BASE=node:24-slim
FROM ${BASE}

WORKDIR /berth

# Dependencies first: they change less often than the sources. The package's own Node (an optional dependency) and what only
# tests need stay out.
COPY package.json package-lock.json .npmr[c] ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

COPY api ./api
COPY base ./base
COPY cli ./cli
COPY client ./client
COPY manifests ./manifests
COPY node-agent ./node-agent
COPY scheduler ./scheduler
COPY setup ./setup

ENTRYPOINT ["node", "/berth/cli/bin.js"]
CMD ["--help"]
