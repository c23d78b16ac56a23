# syntax=docker/dockerfile:1
# The program and nothing else. The first stage has the tools and is thrown away; `cargo xtask app`
# sets up what it needs to build the browser's half, which the server then has inside it.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo xtask app \
 && cargo build --locked --release --package laika-server \
 && install -D target/release/laika /out/laika \
 && install -d -o 10001 -g 10001 -m 0700 /out/data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/laika /usr/local/bin/laika
COPY --from=build --chown=10001:10001 --chmod=0700 /out/data /data
USER 10001:10001
WORKDIR /data
VOLUME /data
# In a container a port is reached from outside only where it listens on all addresses; what is
# published, and the TLS in front of it, is the operator's choice. Metrics stay off unless asked for.
ENV LAIKA_LISTEN=0.0.0.0:8080 \
    DATABASE_URL=sqlite:/data/laika.db
EXPOSE 8080
STOPSIGNAL SIGTERM
# Readiness is asked over HTTP at /readyz by whoever runs the container; the image has no shell.
ENTRYPOINT ["/usr/local/bin/laika"]
CMD ["serve"]
