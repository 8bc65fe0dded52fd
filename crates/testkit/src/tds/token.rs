//! The tokens that answers are made of (MS-TDS section 2.2.7).

use bytes::{BufMut, BytesMut};
use tds_protocol::codec::{write_b_varchar, write_us_varchar};
use tds_protocol::token::{Done, DoneInProc, DoneProc, DoneStatus};

use super::script::{ResultSet, ServerMessage};
use super::value::{COLLATION, Column, Misfit, TdsType, TdsValue, encode_type, encode_value};

const RETURN_STATUS: u8 = 0x79;
const COLUMN_METADATA: u8 = 0x81;
const ERROR: u8 = 0xAA;
const INFO: u8 = 0xAB;
const RETURN_VALUE: u8 = 0xAC;
const LOGIN_ACK: u8 = 0xAD;
const ROW: u8 = 0xD1;
const NULL_BITMAP_ROW: u8 = 0xD2;
const ENVIRONMENT_CHANGE: u8 = 0xE3;

/// Whether a DONE token ends a batch, a statement inside a procedure, or the procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DoneKind {
    Batch,
    InProcedure,
    Procedure,
}

/// What a DONE token tells besides its kind.
#[expect(clippy::struct_excessive_bools, reason = "they are the token's status bits, each independent of the others")]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ending {
    pub(super) more: bool,
    pub(super) error: bool,
    pub(super) in_transaction: bool,
    pub(super) attention: bool,
    pub(super) rows: Option<u64>,
    pub(super) command: u16,
}

/// The tokens of one answer, in order.
#[derive(Debug, Default)]
pub(super) struct Tokens(pub(super) BytesMut);

impl Tokens {
    pub(super) fn done(&mut self, kind: DoneKind, ending: Ending) {
        let mut status = DoneStatus::default();
        status.more = ending.more;
        status.error = ending.error;
        status.in_xact = ending.in_transaction;
        status.attn = ending.attention;
        status.count = ending.rows.is_some();
        let (cur_cmd, row_count) = (ending.command, ending.rows.unwrap_or_default());
        match kind {
            DoneKind::Batch => Done { status, cur_cmd, row_count }.encode(&mut self.0),
            DoneKind::InProcedure => DoneInProc { status, cur_cmd, row_count }.encode(&mut self.0),
            DoneKind::Procedure => DoneProc { status, cur_cmd, row_count }.encode(&mut self.0),
        }
    }

    pub(super) fn message(&mut self, message: &ServerMessage) {
        self.with_length(if message.is_error() { ERROR } else { INFO }, |out| {
            out.put_u32_le(message.number);
            out.put_u8(message.state);
            out.put_u8(message.class);
            write_us_varchar(out, &message.text);
            write_b_varchar(out, "testkit");
            write_b_varchar(out, "");
            out.put_u32_le(1);
        });
    }

    pub(super) fn login_ack(&mut self) {
        self.with_length(LOGIN_ACK, |out| {
            out.put_u8(1); // Transact-SQL
            out.put_u32(0x7400_0004); // TDS 7.4
            write_b_varchar(out, "Microsoft SQL Server");
            out.put_u32(0x1000_03E8); // 16.0.1000
        });
    }

    pub(super) fn database_changed(&mut self, new: &str, old: &str) {
        self.environment(1, |out| {
            write_b_varchar(out, new);
            write_b_varchar(out, old);
        });
    }

    pub(super) fn packet_size_changed(&mut self, new: u16) {
        self.environment(4, |out| {
            write_b_varchar(out, &new.to_string());
            write_b_varchar(out, "4096");
        });
    }

    /// The client is to go to another address (MS-TDS section 2.2.7.9, type 20).
    pub(super) fn redirected(&mut self, host: &str, port: u16) {
        self.environment(20, |out| {
            let length = 5 + host.encode_utf16().count() * 2;
            out.put_u16_le(u16::try_from(length).unwrap_or(u16::MAX));
            out.put_u8(0); // TCP
            out.put_u16_le(port);
            write_us_varchar(out, host);
            out.put_u16_le(0);
        });
    }

    pub(super) fn collation_changed(&mut self) {
        self.environment(7, |out| {
            out.put_u8(5);
            out.extend_from_slice(&COLLATION);
            out.put_u8(0);
        });
    }

    pub(super) fn transaction_began(&mut self, descriptor: u64) {
        self.environment(8, |out| {
            out.put_u8(8);
            out.put_u64_le(descriptor);
            out.put_u8(0);
        });
    }

    /// Commit (9) or rollback (10).
    pub(super) fn transaction_ended(&mut self, committed: bool, descriptor: u64) {
        self.environment(if committed { 9 } else { 10 }, |out| {
            out.put_u8(0);
            out.put_u8(8);
            out.put_u64_le(descriptor);
        });
    }

    pub(super) fn return_status(&mut self) {
        self.0.put_u8(RETURN_STATUS);
        self.0.put_i32_le(0);
    }

    /// The handle of a prepared statement.
    pub(super) fn return_handle(&mut self, handle: i64) -> Result<(), Misfit> {
        let column = Column::new("", TdsType::Int);
        self.0.put_u8(RETURN_VALUE);
        self.0.put_u16_le(0);
        write_b_varchar(&mut self.0, "");
        self.0.put_u8(1); // an output parameter
        self.0.put_u32_le(0);
        self.0.put_u16_le(0);
        encode_type(column.kind, &mut self.0);
        encode_value(&column, &TdsValue::Int(handle), &mut self.0)
    }

    pub(super) fn result(&mut self, result: &ResultSet) -> Result<(), Misfit> {
        self.0.put_u8(COLUMN_METADATA);
        self.0.put_u16_le(u16::try_from(result.columns.len()).unwrap_or(u16::MAX));
        for column in &result.columns {
            self.0.put_u32_le(0);
            self.0.put_u16_le(0x0009); // nullable, updateable
            encode_type(column.kind, &mut self.0);
            write_b_varchar(&mut self.0, &column.name);
        }
        for (index, row) in result.rows.iter().enumerate() {
            if row.len() != result.columns.len() {
                return Err(Misfit::Row { values: row.len(), columns: result.columns.len() });
            }
            let nulls = row.contains(&TdsValue::Null);
            // SQL Server chooses the form by what is shorter. Both are sent here, so that a reader has to know both.
            if nulls && index % 2 == 0 { self.row_with_bitmap(result, row)? } else { self.plain_row(result, row)? }
        }
        Ok(())
    }

    fn plain_row(&mut self, result: &ResultSet, row: &[TdsValue]) -> Result<(), Misfit> {
        self.0.put_u8(ROW);
        result.columns.iter().zip(row).try_for_each(|(column, value)| encode_value(column, value, &mut self.0))
    }

    fn row_with_bitmap(&mut self, result: &ResultSet, row: &[TdsValue]) -> Result<(), Misfit> {
        self.0.put_u8(NULL_BITMAP_ROW);
        let mut bitmap = vec![0_u8; result.columns.len().div_ceil(8)];
        for (index, value) in row.iter().enumerate().take(result.columns.len()) {
            bitmap[index / 8] |= u8::from(*value == TdsValue::Null) << (index % 8);
        }
        self.0.extend_from_slice(&bitmap);
        result
            .columns
            .iter()
            .zip(row)
            .filter(|(_, value)| **value != TdsValue::Null)
            .try_for_each(|(column, value)| encode_value(column, value, &mut self.0))
    }

    fn environment(&mut self, kind: u8, body: impl FnOnce(&mut BytesMut)) {
        self.with_length(ENVIRONMENT_CHANGE, |out| {
            out.put_u8(kind);
            body(out);
        });
    }

    /// A token with its length in two bytes behind its name.
    fn with_length(&mut self, token: u8, body: impl FnOnce(&mut BytesMut)) {
        let mut inner = BytesMut::new();
        body(&mut inner);
        self.0.put_u8(token);
        self.0.put_u16_le(u16::try_from(inner.len()).unwrap_or(u16::MAX));
        self.0.unsplit(inner);
    }
}
