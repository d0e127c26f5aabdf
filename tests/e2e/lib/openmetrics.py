"""Reads OpenMetrics text with the strict parser of the Prometheus project (Debian: python3-prometheus-client), and writes
it as JSON: [{name, type, unit, help, samples: [[name, {label: value}, number]]}]. What is wrong ends it with 1 and the
reason."""
import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

try:
    families = list(text_string_to_metric_families(sys.stdin.read()))
except ValueError as wrong:
    sys.exit(f'no OpenMetrics: {wrong}')
json.dump([{'name': f.name, 'type': f.type, 'unit': f.unit, 'help': f.documentation,
            'samples': [[s.name, s.labels, s.value] for s in f.samples]} for f in families], sys.stdout)
