//! What a client asks for once it is logged in.

use std::fmt;

use tds_protocol::{PacketType, ProcId};

use super::cursor::{Cursor, Malformed, malformed};
use super::packet::Message;
use super::value::{TdsType, TdsValue, decode_parameter};

/// By which message a statement came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A text without parameters (`SQLBatch`).
    Batch,
    /// A procedure by its number, such as `sp_executesql`, or by its name.
    Procedure(String),
    /// A transaction manager request: begin, commit, roll back, save.
    TransactionManager,
}

/// A parameter as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name with the `@`, empty when it was sent without one.
    pub name: String,
    /// Its type on the wire.
    pub kind: TdsType,
    /// Its value.
    pub value: TdsValue,
    /// Whether the procedure may change it.
    pub output: bool,
}

/// A statement as it was sent.
#[derive(Clone, PartialEq)]
pub struct Statement {
    /// By which message it came.
    pub via: Via,
    /// The text: of the batch, or of `sp_executesql`; a procedure's name; `BEGIN`, `COMMIT`, `ROLLBACK` or `SAVE
    /// TRANSACTION` for the transaction manager's requests.
    pub text: String,
    /// The types as `sp_executesql` declares them: `@P1 bigint,@P2 nvarchar(4000)`.
    pub declarations: String,
    /// The values of the statement's own parameters.
    pub parameters: Vec<Parameter>,
}

impl Statement {
    /// The values alone, in order.
    pub fn values(&self) -> Vec<&TdsValue> {
        self.parameters.iter().map(|parameter| &parameter.value).collect()
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {:?}", self.via, self.text, self.values())
    }
}

/// What the session has to do.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    /// Answer a statement.
    Run(Statement),
    /// Remember a text under a handle (`sp_prepare`).
    Prepare { text: String },
    /// Remember a text under a handle and answer it (`sp_prepexec`).
    PrepareAndRun(Statement),
    /// Answer the text behind a handle (`sp_execute`).
    RunPrepared { handle: i64, parameters: Vec<Parameter> },
    /// Forget a handle (`sp_unprepare`).
    Unprepare { handle: i64 },
    /// Stop what is under way.
    Attention,
}

impl Request {
    pub(super) fn parse(message: &Message) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(&message.payload);
        match message.kind {
            PacketType::SqlBatch => {
                skip_headers(&mut cursor)?;
                let text = cursor.rest_as_utf16("batch")?;
                Ok(Self::Run(Statement { via: Via::Batch, text, declarations: String::new(), parameters: Vec::new() }))
            }
            PacketType::Rpc => {
                skip_headers(&mut cursor)?;
                parse_call(&mut cursor)
            }
            PacketType::TransactionManager => {
                skip_headers(&mut cursor)?;
                let text = match cursor.u16("transaction request")? {
                    5 => "BEGIN TRANSACTION",
                    7 => "COMMIT TRANSACTION",
                    8 => "ROLLBACK TRANSACTION",
                    9 => "SAVE TRANSACTION",
                    _ => return Err(malformed("transaction request")),
                };
                Ok(Self::Run(Statement {
                    via: Via::TransactionManager,
                    text: text.to_owned(),
                    declarations: String::new(),
                    parameters: Vec::new(),
                }))
            }
            PacketType::Attention => Ok(Self::Attention),
            _ => Err(malformed("request: no message of this kind is expected after the login")),
        }
    }
}

/// `ALL_HEADERS` (MS-TDS section 2.2.5.3): its first four bytes are its length.
fn skip_headers(cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
    const WHAT: &str = "ALL_HEADERS";
    let length = cursor.u32(WHAT)? as usize;
    cursor.take(length.checked_sub(4).ok_or(malformed(WHAT))?, WHAT)?;
    Ok(())
}

fn parse_call(cursor: &mut Cursor<'_>) -> Result<Request, Malformed> {
    const WHAT: &str = "procedure call";
    let (number, name) = match cursor.u16(WHAT)? {
        u16::MAX => (Some(cursor.u16(WHAT)?), String::new()),
        units => (None, cursor.utf16(units.into(), WHAT)?),
    };
    cursor.u16(WHAT)?; // the option flags
    let mut parameters = Vec::new();
    while !cursor.is_empty() {
        let name = cursor.b_varchar(WHAT)?;
        let output = cursor.u8(WHAT)? & 1 != 0;
        let (kind, value) = decode_parameter(cursor)?;
        parameters.push(Parameter { name, kind, value, output });
    }
    let mut parameters = parameters.into_iter();
    let procedure = number.map_or_else(|| by_name(&name), by_number);
    let via = |name: &str| Via::Procedure(name.to_owned());
    Ok(match procedure {
        Some(ProcId::ExecuteSql) => {
            let text = text(parameters.next())?;
            let declarations = parameters.next().map_or(Ok(String::new()), |parameter| text_of(&parameter))?;
            Request::Run(Statement { via: via("sp_executesql"), text, declarations, parameters: parameters.collect() })
        }
        Some(ProcId::Prepare) => {
            parameters.nth(1); // the handle to be returned, the declarations
            Request::Prepare { text: text(parameters.next())? }
        }
        Some(ProcId::PrepExec) => {
            parameters.next(); // the handle to be returned
            let declarations = text(parameters.next())?;
            let text = text(parameters.next())?;
            let parameters = parameters.collect();
            Request::PrepareAndRun(Statement { via: via("sp_prepexec"), text, declarations, parameters })
        }
        Some(ProcId::Execute) => {
            let handle = handle(parameters.next())?;
            Request::RunPrepared { handle, parameters: parameters.collect() }
        }
        Some(ProcId::Unprepare) => Request::Unprepare { handle: handle(parameters.next())? },
        Some(_) => return Err(malformed("procedure call: this procedure is not among those served")),
        None => Request::Run(Statement {
            via: Via::Procedure(name.clone()),
            text: name,
            declarations: String::new(),
            parameters: parameters.collect(),
        }),
    })
}

fn by_number(number: u16) -> Option<ProcId> {
    [ProcId::ExecuteSql, ProcId::Prepare, ProcId::Execute, ProcId::PrepExec, ProcId::Unprepare]
        .into_iter()
        .find(|procedure| *procedure as u16 == number)
        // A number that is not served is reported as such, and not taken for a name.
        .or(Some(ProcId::CursorOpen))
}

fn by_name(name: &str) -> Option<ProcId> {
    Some(match name.rsplit('.').next()?.to_ascii_lowercase().as_str() {
        "sp_executesql" => ProcId::ExecuteSql,
        "sp_prepare" => ProcId::Prepare,
        "sp_execute" => ProcId::Execute,
        "sp_prepexec" => ProcId::PrepExec,
        "sp_unprepare" => ProcId::Unprepare,
        _ => return None,
    })
}

fn text(parameter: Option<Parameter>) -> Result<String, Malformed> {
    text_of(&parameter.ok_or(malformed("procedure call: a text is missing"))?)
}

fn text_of(parameter: &Parameter) -> Result<String, Malformed> {
    match &parameter.value {
        TdsValue::Text(text) => Ok(text.clone()),
        TdsValue::Null => Ok(String::new()),
        _ => Err(malformed("procedure call: a text was expected")),
    }
}

fn handle(parameter: Option<Parameter>) -> Result<i64, Malformed> {
    match parameter.map(|parameter| parameter.value) {
        Some(TdsValue::Int(handle)) => Ok(handle),
        _ => Err(malformed("procedure call: a handle was expected")),
    }
}
