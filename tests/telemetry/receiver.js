// An OTLP/gRPC receiver with grpc-js and protobufjs: prints one line of JSON for each metric point, span and log record it gets.
// Field numbers: OpenTelemetry protocol 1.x, metrics, trace and logs collector services.
const grpc = require("@grpc/grpc-js");
const protobuf = require("protobufjs");

const root = protobuf.parse(`
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Point { repeated KeyValue attributes = 7; double as_double = 4; sfixed64 as_int = 6; }
message Gauge { repeated Point data_points = 1; }
message Sum { repeated Point data_points = 1; }
message Metric { string name = 1; string unit = 3; Gauge gauge = 5; Sum sum = 7; }
message ScopeMetrics { repeated Metric metrics = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message MetricsRequest { repeated ResourceMetrics resource_metrics = 1; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; repeated KeyValue attributes = 9; }
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message TraceRequest { repeated ResourceSpans resource_spans = 1; }
message LogRecord { fixed64 time_unix_nano = 1; string severity_text = 3; AnyValue body = 5; repeated KeyValue attributes = 6; string event_name = 12; }
message ScopeLogs { repeated LogRecord log_records = 2; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message LogsRequest { repeated ResourceLogs resource_logs = 1; }
`, { keepCase: true }).root;

const attributes = (list) => Object.fromEntries((list || []).map((a) => [a.key, a.value && a.value[a.value.value]]));
const say = (fact) => process.stdout.write(JSON.stringify(fact) + "\n");

function onMetrics(request) {
  for (const resource of request.resource_metrics || [])
    for (const scope of resource.scope_metrics || [])
      for (const metric of scope.metrics || [])
        for (const point of (metric.gauge || metric.sum || {}).data_points || [])
          say({ metric: metric.name, unit: metric.unit, value: Number(point.as_int) || point.as_double || 0,
                at: attributes(point.attributes), from: attributes(resource.resource.attributes) });
}

function onTraces(request) {
  const hex = (bytes) => Buffer.from(bytes || []).toString("hex");
  for (const resource of request.resource_spans || [])
    for (const scope of resource.scope_spans || [])
      for (const span of scope.spans || [])
        say({ span: span.name, trace: hex(span.trace_id), id: hex(span.span_id), parent: hex(span.parent_span_id),
              at: attributes(span.attributes), from: attributes(resource.resource.attributes) });
}

function onLogs(request) {
  for (const resource of request.resource_logs || [])
    for (const scope of resource.scope_logs || [])
      for (const record of scope.log_records || [])
        say({ log: record.event_name, severity: record.severity_text, body: record.body.string_value,
              at: attributes(record.attributes), from: attributes(resource.resource.attributes) });
}

function service(path, type, handle) {
  const Type = root.lookupType(type);
  return { Export: { path, requestStream: false, responseStream: false,
    requestDeserialize: (b) => Type.decode(b), requestSerialize: (x) => x,
    responseSerialize: () => Buffer.alloc(0), responseDeserialize: (b) => b, handle } };
}

const server = new grpc.Server();
for (const [path, type, on] of [
  ["/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "MetricsRequest", onMetrics],
  ["/opentelemetry.proto.collector.trace.v1.TraceService/Export", "TraceRequest", onTraces],
  ["/opentelemetry.proto.collector.logs.v1.LogsService/Export", "LogsRequest", onLogs],
])
  server.addService(service(path, type), { Export: (call, done) => { on(call.request); done(null, {}); } });

server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => say(error ? { error } : { port }));
process.stdin.resume().on("end", () => process.exit(0));
