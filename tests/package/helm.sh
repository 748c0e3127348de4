#!/usr/bin/env bash
# The Helm chart: helm renders it with several values, kubeconform checks what comes out against Kubernetes' own schemas.
# Needs go (1.23 or newer) for both programs and the schema of ServiceMonitor (the Prometheus operator's module), and python3
# with venv for the other schemas (PyPI: kubernetes-validate).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=$root/target/package/helm
chart=$root/deploy/helm/issuer-gateway
mkdir -p "$out"

install() { [ -x "$out/bin/$1" ] || GOFLAGS=-buildvcs=false GOBIN=$out/bin go install "$2"; }
install helm helm.sh/helm/v3/cmd/helm@v3.19.0
install kubeconform github.com/yannh/kubeconform/cmd/kubeconform@v0.6.7
[ -x "$out/venv/bin/kubernetes-validate" ] || {
    python3 -m venv "$out/venv"
    "$out/venv/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
}
schemas=$(echo "$out"/venv/lib/python3*/site-packages/kubernetes_validate/kubernetes-json-schema)
operator=github.com/prometheus-operator/prometheus-operator@v0.85.0
operator=$(cd "$out" && GOFLAGS=-mod=mod go mod download -json "$operator" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
python=$out/venv/bin/python
"$python" "$root/tests/package/chart.py" schema "$operator" "$out/servicemonitor.json"

"$out/bin/helm" lint --strict "$chart"
for version in 1.27.0 1.37.0; do
    # The schemas refer to a server of their own, and are of a later draft than kubeconform reads.
    rm -rf "$out/schemas"
    cp -r "$schemas/v$version-local-strict" "$out/schemas"
    find "$out/schemas" -name '*.json' -exec sed -i "s|/api/_definitions.json|file://$out/schemas/_definitions.json|; s|\\\$defs|definitions|" {} +
    cp "$out/servicemonitor.json" "$out/schemas/servicemonitor-monitoring-v1.json"
    for values in "" \
        "--set metrics.serviceMonitor.enabled=true,metrics.serviceMonitor.labels.release=operator,metrics.serviceMonitor.ca.secret.name=ca,metrics.serviceMonitor.ca.secret.key=ca.crt" \
        "--set metrics.serviceMonitor.enabled=true,metrics.tokenSecret=,metrics.clientCaSecret=scrapers,metrics.serviceMonitor.clientCertificateSecret=scraper" \
        "--set poolMode=transaction,networkPolicy.enabled=false,imagePullSecrets[0].name=pull,witness.storageClassName=fast" \
        "--set nodeSelector.disk=fast,tolerations[0].key=gateway,tolerations[0].operator=Exists,podAnnotations.team=cards,networkPolicy.extraEgress[0].ports[0].port=4318,service.annotations.a=b,env[0].name=ISSUER_GATEWAY__SERVER__WORKERS,env[0].value=four"; do
        # shellcheck disable=SC2086 # words
        "$out/bin/helm" template --kube-version "$version" gateway "$chart" $values >"$out/rendered.yaml"
        "$out/bin/kubeconform" -strict -summary -kubernetes-version "$version" \
            -schema-location "$out/schemas/{{.ResourceKind}}{{.KindSuffix}}.json" "$out/rendered.yaml"
    done
done

"$python" "$root/tests/package/chart.py" check "$out/bin/helm" "$chart"
# A field that a ServiceMonitor does not have is noticed.
"$out/bin/helm" template --kube-version "$version" gateway "$chart" --set metrics.serviceMonitor.enabled=true \
    --show-only templates/monitor.yaml | sed 's/ scrapeTimeout:/ scrapeTimeOut:/' >"$out/rendered.yaml"
if "$out/bin/kubeconform" -strict -schema-location "$out/schemas/{{.ResourceKind}}{{.KindSuffix}}.json" "$out/rendered.yaml" >"$out/refused"; then
    echo "helm: a wrong field of the ServiceMonitor passes" >&2
    exit 1
fi
grep -q scrapeTimeOut "$out/refused"

# What the configuration holds is a configuration: the program reads it, with keys and secrets as the pods have them.
binary=${1:-}
[ -n "$binary" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/keys" "$work/kek" "$work/tls" "$work/metrics"
openssl rand -base64 32 >"$work/kek/kek.key"
"$binary" keys generate "$work/keys/gateway.pem" >/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=chart -keyout "$work/tls/tls.key" -out "$work/tls/tls.crt" 2>/dev/null
openssl rand -hex 32 >"$work/metrics/token"
check() { ISSUER_GATEWAY__DATABASE__URL=postgres://db.example.com/issuer_gateway "$binary" --config "$work/gateway.toml" keys check; }
for exposed in false true; do
    "$out/bin/helm" template --kube-version 1.37.0 gateway "$chart" --show-only templates/config.yaml --set metrics.expose=$exposed |
        sed -n '/gateway.toml: |/,$ s/^    //p' | sed "s|/etc/issuer-gateway/|$work/|" >"$work/gateway.toml"
    check
done
# Exposed metrics without their token are noticed before the start.
: >"$work/metrics/token"
if check 2>"$work/refused"; then echo "helm: an empty token passes" >&2; exit 1; fi
grep -q metrics.token_file "$work/refused"
