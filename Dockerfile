# Itemcast as an image: one static binary, and the programs that process media. Not root.
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" --tag itemcast .
#   docker run --publish 8080:8080 --env ITEMCAST_DATABASE_URL=postgres://… --env ITEMCAST_PUBLIC_URL=https://items.example.com itemcast
#
# ITEMCAST_DATABASE_URL is required: the embedded Postgres needs programs that this image does not have.
# compose.yml starts the image beside a Postgres.

FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS assets
WORKDIR /src/internal/web/assets
COPY internal/web/assets/package.json internal/web/assets/package-lock.json internal/web/assets/.npmrc ./
RUN npm ci --no-progress --loglevel=error
COPY internal/web/assets ./
RUN node build.mjs

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=assets /src/internal/web/dist internal/web/dist
ARG TARGETOS TARGETARCH VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /itemcast ./cmd/itemcast
RUN mkdir /data

# Debian, for ffmpeg and vips (libvips-tools). Debian's security updates come with a new build of the image.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates ffmpeg libvips-tools tzdata \
    && rm -rf /var/lib/apt/lists/*
LABEL org.opencontainers.image.title="Itemcast" \
      org.opencontainers.image.description="A self-hosted hub for media items" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /itemcast /usr/local/bin/itemcast
COPY LICENSE /licenses/LICENSE

# The working directory: `itemcast export FILE` and `itemcast import FILE` read and write here.
COPY --from=build --chown=65532:65532 /data /data
WORKDIR /data
VOLUME /data
ENV ITEMCAST_DATA_DIR=/data

# 8080 is public. 8081 is for operators and has no authentication: publish it to an internal network only.
ENV ITEMCAST_ADDR=0.0.0.0:8080 ITEMCAST_OPS_ADDR=0.0.0.0:8081
EXPOSE 8080 8081

# There is no HEALTHCHECK, because there is no curl to run one. Let the orchestrator probe port 8081:
# GET /livez (the process answers) for liveness, GET /readyz (the database answers too) for readiness.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/itemcast"]
CMD ["serve"]
