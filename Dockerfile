# Two stages: the second has no compiler, no pip cache and no source control. Roles: deploy/role.sh.
FROM python:3.13.9-slim-trixie AS build
WORKDIR /src
COPY deploy/install.sh deploy/
COPY requirements.txt .
RUN deploy/install.sh /opt/lemsite packages
COPY . .
RUN deploy/install.sh /opt/lemsite site

FROM python:3.13.9-slim-trixie
# pg_dump and psql are for manage.py backup and restore; not older than the server.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/lemsite --shell /usr/sbin/nologin lemsite \
    && install --directory --owner lemsite --mode 750 /var/lib/lemsite
COPY --from=build /opt/lemsite /opt/lemsite
WORKDIR /opt/lemsite/site
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000 LEMSITE_HOME=/var/lib/lemsite
USER 10001
# All that is written goes here and to /tmp; the rest may be read-only.
VOLUME /var/lib/lemsite
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["deploy/role.sh", "ready"]
ENTRYPOINT ["/opt/lemsite/site/deploy/role.sh"]
# web, worker, scheduler, migrate, or a command of manage.py. SIGTERM drains web within 25 s: docker stop --time 35
CMD ["web"]
