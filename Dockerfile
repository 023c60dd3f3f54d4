# Everything but training, on Python of Debian's image: docker build -t quantunet . && docker run --rm -v "$PWD:/work" quantunet
# Every Python package is one of locked.txt, and pip compares each file with its SHA-256.
FROM python:3.11-slim-bookworm

# cosim compiles C++; git says of which commit a result is.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++=4:12.* git=1:2.39.* \
    && rm -rf /var/lib/apt/lists/*

# Extras of pyproject.toml: `model` adds training, and gigabytes of torch, whose files locked.txt cannot name.
ARG EXTRAS="hls synth pnr sim device medical cluster"

WORKDIR /opt/quantunet
RUN pip install --no-cache-dir pip==26.3
COPY pyproject.toml locked.txt ./
COPY .devcontainer/requirements.py .devcontainer/
RUN python .devcontainer/requirements.py ${EXTRAS} > requirements.txt
RUN pip install --no-cache-dir --require-hashes --constraint locked.txt --requirement requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

RUN useradd --create-home --uid 1000 user
USER 1000
WORKDIR /work
ENTRYPOINT ["quantunet"]
CMD ["--help"]
