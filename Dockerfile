FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/lemsite

COPY requirements.txt .
RUN pip install --require-hashes -r requirements.txt

COPY . .
RUN LEMSITE_HOME=/tmp/build python manage.py collectstatic --no-input --verbosity 0 \
    && rm -r /tmp/build \
    && useradd --system --uid 10001 --home-dir /var/lib/lemsite lemsite \
    && install --directory --owner lemsite --mode 750 /var/lib/lemsite

ENV HOST=0.0.0.0 PORT=8000 LEMSITE_HOME=/var/lib/lemsite
USER lemsite
VOLUME /var/lib/lemsite
EXPOSE 8000
# The host name has to be one that ALLOWED_HOSTS names.
HEALTHCHECK --start-period=60s CMD python -c "import os, urllib.request as u; \
u.urlopen(u.Request('http://127.0.0.1:' + os.environ['PORT'] + '/health', \
headers={'Host': os.environ.get('ALLOWED_HOSTS', 'localhost').split(',')[0].lstrip('.')}), timeout=5)"

# serve ends on one SIGTERM and lets a running task finish, so give it 40 s: docker stop --time 40
CMD ["sh", "-c", "python manage.py migrate --no-input && python manage.py load_catalogue && exec python manage.py serve"]
