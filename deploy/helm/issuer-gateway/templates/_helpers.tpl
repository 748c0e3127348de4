{{- define "gateway.labels" -}}
app.kubernetes.io/name: issuer-gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gateway.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* "true" where metrics listen beyond loopback. */}}
{{- define "gateway.metricsExposed" -}}
{{- $metrics := .Values.metrics }}
{{- if or $metrics.expose $metrics.serviceMonitor.enabled }}
{{- if not (or $metrics.tokenSecret $metrics.clientCaSecret) }}
{{- fail "exposed metrics need metrics.tokenSecret or metrics.clientCaSecret" }}
{{- end }}
{{- if and $metrics.serviceMonitor.enabled (and $metrics.clientCaSecret (not $metrics.serviceMonitor.clientCertificateSecret)) }}
{{- fail "with metrics.clientCaSecret, the monitor needs metrics.serviceMonitor.clientCertificateSecret" }}
{{- end -}}
true
{{- end }}
{{- end }}

{{- define "gateway.config" -}}
[server]
listen = "0.0.0.0:8443"
public_base_urls = {{ .Values.publicBaseUrls | toJson }}
tls_certificate = "/etc/issuer-gateway/tls/tls.crt"
tls_key = "/etc/issuer-gateway/tls/tls.key"

[metrics]
{{- if include "gateway.metricsExposed" . }}
listen = "0.0.0.0:9464"
{{- if .Values.metrics.tokenSecret }}
token_file = "/etc/issuer-gateway/metrics/token"
{{- end }}
{{- if .Values.metrics.clientCaSecret }}
client_ca = "/etc/issuer-gateway/metrics-ca/ca.crt"
{{- end }}
{{- else }}
listen = "127.0.0.1:9464"
{{- end }}

[database]
url = "from the environment"
pool_mode = {{ .Values.poolMode | quote }}
migrate = false

[audit]
witness = "/var/lib/issuer-gateway/node.witness"

[vault]
kek_file = "/etc/issuer-gateway/kek/kek.key"

[[keys.gateway]]
file = "/etc/issuer-gateway/keys/gateway.pem"
certificate = "/etc/issuer-gateway/keys/gateway-cert.pem"
state = "primary"

{{ .Values.config }}
{{- end }}

{{/* The restricted standard for pods. */}}
{{- define "gateway.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "gateway.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "gateway.databaseEnv" -}}
- name: ISSUER_GATEWAY__DATABASE__URL
  valueFrom: { secretKeyRef: { name: {{ .Values.secrets.database }}, key: url } }
{{- if eq .Values.poolMode "transaction" }}
- name: ISSUER_GATEWAY__DATABASE__MIGRATE_URL
  valueFrom: { secretKeyRef: { name: {{ .Values.secrets.database }}, key: migrateUrl } }
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "gateway.mounts" -}}
- { name: config, mountPath: /etc/issuer-gateway/gateway.toml, subPath: gateway.toml, readOnly: true }
- { name: keys, mountPath: /etc/issuer-gateway/keys, readOnly: true }
- { name: kek, mountPath: /etc/issuer-gateway/kek, readOnly: true }
- { name: tls, mountPath: /etc/issuer-gateway/tls, readOnly: true }
{{- if include "gateway.metricsExposed" . }}
{{- if .Values.metrics.tokenSecret }}
- { name: metrics, mountPath: /etc/issuer-gateway/metrics, readOnly: true }
{{- end }}
{{- if .Values.metrics.clientCaSecret }}
- { name: metrics-ca, mountPath: /etc/issuer-gateway/metrics-ca, readOnly: true }
{{- end }}
{{- end }}
{{- end }}

{{- define "gateway.volumes" -}}
- name: keys
  secret: { secretName: {{ .Values.secrets.keys }}, defaultMode: 0440 }
- name: kek
  secret: { secretName: {{ .Values.secrets.kek }}, defaultMode: 0440 }
- name: tls
  secret: { secretName: {{ .Values.secrets.tls }}, defaultMode: 0440 }
{{- if include "gateway.metricsExposed" . }}
{{- with .Values.metrics.tokenSecret }}
- name: metrics
  secret: { secretName: {{ . }}, defaultMode: 0440, items: [{ key: token, path: token }] }
{{- end }}
{{- with .Values.metrics.clientCaSecret }}
- name: metrics-ca
  secret: { secretName: {{ . }}, defaultMode: 0440, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- end }}
{{- end }}
