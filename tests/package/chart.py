"""For tests/package/helm.sh:

    chart.py schema OPERATOR OUT     the JSON schema of ServiceMonitor, out of the folder of the Prometheus operator's module
    chart.py check HELM CHART        what the chart renders for metrics
"""

import json
import pathlib
import subprocess
import sys

import yaml


def strict(part):
    """As strict as Kubernetes' own schemas: a field that is not in the definition is refused."""
    if isinstance(part, dict):
        if "properties" in part:
            part.setdefault("additionalProperties", False)
        if part.pop("x-kubernetes-int-or-string", False):
            part.pop("type", None)
            part["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else []:
        strict(value)


def schema(operator, out):
    file = pathlib.Path(operator, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml")
    versions = yaml.safe_load(file.read_text())["spec"]["versions"]
    [found] = [version["schema"]["openAPIV3Schema"] for version in versions if version["name"] == "v1"]
    strict(found)
    # The definition leaves it to Kubernetes.
    found["properties"]["metadata"] = {"type": "object"}
    pathlib.Path(out).write_text(json.dumps(found))


def check(helm, chart):
    def template(*values):
        command = [helm, "template", "--kube-version", "1.37.0", "gateway", chart, *(f"--set={value}" for value in values)]
        return subprocess.run(command, capture_output=True, text=True)

    def render(*values):
        done = template(*values)
        assert done.returncode == 0, done.stderr
        return {(part["kind"], part["metadata"]["name"]): part for part in yaml.safe_load_all(done.stdout) if part}

    # Off by default, and nothing listens beyond the pod.
    plain = render()
    assert ("ServiceMonitor", "gateway") not in plain
    assert "127.0.0.1:9464" in plain["ConfigMap", "gateway-config"]["data"]["gateway.toml"]
    assert "9464" not in str(plain["NetworkPolicy", "gateway"]) + str(plain["Service", "gateway-nodes"])
    assert ("ServiceMonitor", "gateway") not in render("metrics.expose=true")

    # On, it finds each node once, by the job that the alerts name, and may reach it.
    parts = render("metrics.serviceMonitor.enabled=true")
    monitor, service = parts["ServiceMonitor", "gateway"]["spec"], parts["Service", "gateway-nodes"]
    wanted = monitor["selector"]["matchLabels"].items()
    assert wanted <= service["metadata"]["labels"].items()
    assert not wanted <= parts["Service", "gateway"]["metadata"]["labels"].items()
    assert service["metadata"]["labels"][monitor["jobLabel"]] == "issuer-gateway"
    [endpoint] = monitor["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["tlsConfig"]["serverName"] == "issuers.example.com"
    assert endpoint["authorization"] == {"type": "Bearer", "credentials": {"name": "issuer-gateway-metrics", "key": "token"}}
    [container] = parts["StatefulSet", "gateway"]["spec"]["template"]["spec"]["containers"]
    assert {"name": "metrics", "containerPort": 9464, "protocol": "TCP"} in container["ports"]
    assert "9464" in str(parts["NetworkPolicy", "gateway"]["spec"]["ingress"])

    for wrong in (["metrics.expose=true", "metrics.tokenSecret="], ["metrics.serviceMonitor.enabled=true", "metrics.clientCaSecret=a"]):
        refused = template(*wrong)
        assert refused.returncode != 0 and "metrics." in refused.stderr, wrong


{"schema": schema, "check": check}[sys.argv[1]](*sys.argv[2:])
