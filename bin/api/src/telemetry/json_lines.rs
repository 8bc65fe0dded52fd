use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// Bytes of a usual line.
const USUAL: usize = 384;

/// One JSON object a line: `timestamp`, `level`, `service`, the fields of the spans around it (`trace_id` among them),
/// then its own; last `event` where nobody named it. A field's inner value hides one of the same name further out.
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut line = Line(Vec::with_capacity(USUAL));
        line.set("timestamp", &timestamp);
        line.set("level", event.metadata().level().as_str());
        line.set("service", crate::SERVICE);
        let spans = || context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root);
        for (depth, span) in spans().enumerate() {
            let hidden = |name: &str| {
                has(event.metadata(), name) || spans().skip(depth + 1).any(|inner| has(inner.metadata(), name))
            };
            line.span::<S, N>(&span, hidden);
        }
        event.record(&mut line);
        if !has(event.metadata(), "event") {
            // Its origin in the code tells as much.
            line.set("event", event.metadata().target());
        }
        line.0.extend_from_slice(b"}\n");
        writer.write_str(std::str::from_utf8(&line.0).map_err(|_| fmt::Error)?)
    }
}

fn has(metadata: &Metadata<'_>, name: &str) -> bool {
    metadata.fields().iter().any(|field| field.name() == name)
}

/// An object that is being written, without its last brace.
struct Line(Vec<u8>);

impl Line {
    fn set(&mut self, name: &str, value: impl Serialize) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        // Names and plain values always have a form in JSON, and memory takes what is written to it.
        let _ = serde_json::to_writer(&mut self.0, name);
        self.0.push(b':');
        let _ = serde_json::to_writer(&mut self.0, &value);
    }

    /// The fields of a span, which were formatted once when it began.
    fn span<'a, S, N>(&mut self, span: &SpanRef<'a, S>, hidden: impl Fn(&str) -> bool)
    where
        S: Subscriber + LookupSpan<'a>,
        N: for<'writer> FormatFields<'writer> + 'static,
    {
        let extensions = span.extensions();
        let Some(fields) = extensions.get::<FormattedFields<N>>().map(|fields| fields.fields.as_str()) else { return };
        if !span.metadata().fields().iter().any(|field| hidden(field.name())) {
            let inner = fields.trim().strip_prefix('{').and_then(|fields| fields.strip_suffix('}'));
            if let Some(inner) = inner.filter(|inner| !inner.is_empty()) {
                self.0.push(b',');
                self.0.extend_from_slice(inner.as_bytes());
            }
            return;
        }
        let fields: Map<String, Value> = serde_json::from_str(fields).unwrap_or_default();
        for (name, value) in fields.iter().filter(|(name, _)| !hidden(name)) {
            self.set(name, value);
        }
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::fmt::format::JsonFields;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Sink {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// What is written while `work` runs, line by line.
    fn lines(work: impl FnOnce()) -> Vec<String> {
        let sink = Sink::default();
        let layer = tracing_subscriber::fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(JsonLines)
            .with_writer(sink.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        let text = String::from_utf8(sink.0.lock().expect("not poisoned").clone()).expect("UTF-8");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_name_is_told_once_with_its_innermost_value() {
        let lines = lines(|| {
            let _outer = tracing::info_span!("outer", trace_id = "outer", depth = 1).entered();
            let _inner = tracing::info_span!("inner", trace_id = "inner").entered();
            tracing::info!(depth = 3, share = f64::NAN, "quoted \"text\"");
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        for (name, value) in [("trace_id", "\"inner\""), ("depth", "3"), ("share", "null"), ("event", "\"api::")] {
            assert_eq!(lines[0].matches(&format!("\"{name}\":")).count(), 1, "{lines:?}");
            assert!(lines[0].contains(&format!("\"{name}\":{value}")), "{lines:?}");
        }
        assert!(serde_json::from_str::<Value>(&lines[0]).is_ok(), "{lines:?}");
    }

    #[test]
    fn a_line_has_the_fields_that_operators_search_for() {
        let lines = lines(|| {
            let span = tracing::info_span!("request", trace_id = "4bf9");
            let _entered = span.enter();
            tracing::info!(event = "http.request", status = 200_u16, duration_ms = 1.5, "done\nand dusted");
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        let text = &lines[0];
        let line: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["service"], crate::SERVICE);
        assert_eq!(line["event"], "http.request");
        assert_eq!(line["trace_id"], "4bf9");
        assert_eq!(line["status"], 200);
        assert_eq!(line["duration_ms"], 1.5);
        assert_eq!(line["message"], "done\nand dusted");
        assert!(line["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
    }
}
