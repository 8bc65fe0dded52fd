use schema_export::Exporters;
use schema_model::Database;
fn main() {
    let all = Exporters::builtin();
    for path in std::env::args().skip(1) {
        let database: Database = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for format in all.formats() {
            if format == "json" { continue; }
            let out = path.replace(".json", &format!(".{format}")).replace("/out/", "/out2/");
            match all.export(format, &database) {
                Ok(found) => {
                    std::fs::write(&out, found.text).unwrap();
                    std::fs::write(out + ".err", format!("{:?}", found.omissions)).unwrap();
                }
                Err(error) => { if format != "sql" { eprintln!("{path} {format} {error}") } }
            }
        }
    }
}
