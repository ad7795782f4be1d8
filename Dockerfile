# One image for all three processes; what it does is decided by the command in docker-compose.yml.

FROM node:22-bookworm-slim AS room
WORKDIR /build/web/room
COPY web/room/package.json web/room/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/room ./
RUN npm run build

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends ffmpeg \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY conference conference
COPY config config
COPY media media
COPY recordings recordings
COPY web web
COPY --from=room /build/web/static/dist web/static/dist
RUN pip install --no-cache-dir --constraint requirements.lock Babel \
 && pybabel compile -d web/translations \
 && pip install --no-cache-dir --constraint requirements.lock ".[redis]" \
 && useradd --system --home-dir /data --create-home --uid 10001 diemcau
USER diemcau
VOLUME /data
EXPOSE 8000 7880 7882/udp
CMD ["diemcau", "serve", "--data", "/data", "--host", "0.0.0.0"]
