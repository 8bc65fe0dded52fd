//! Types and values on their way to the client.

use bytes::{BufMut, BytesMut};
use tds_protocol::TypeId;
use tds_protocol::codec::write_utf16_string;

use super::temporal::{put_date, put_datetime, put_time, time_width};
use super::{COLLATION, Column, Length, Misfit, TdsType, TdsValue, encode_varchar, put_plp};

/// Writes `TYPE_INFO` (MS-TDS section 2.2.5.6).
pub(in crate::tds) fn encode_type(kind: TdsType, out: &mut BytesMut) {
    let mut plain = |id: TypeId, size: u8| out.extend_from_slice(&[id as u8, size]);
    match kind {
        TdsType::Null => out.put_u8(TypeId::Null as u8),
        TdsType::Bit => plain(TypeId::BitN, 1),
        TdsType::TinyInt => plain(TypeId::IntN, 1),
        TdsType::SmallInt => plain(TypeId::IntN, 2),
        TdsType::Int => plain(TypeId::IntN, 4),
        TdsType::BigInt => plain(TypeId::IntN, 8),
        TdsType::Real => plain(TypeId::FloatN, 4),
        TdsType::Float => plain(TypeId::FloatN, 8),
        TdsType::UniqueIdentifier => plain(TypeId::Guid, 16),
        TdsType::Time(scale) => plain(TypeId::Time, scale),
        TdsType::DateTime2(scale) => plain(TypeId::DateTime2, scale),
        TdsType::DateTimeOffset(scale) => plain(TypeId::DateTimeOffset, scale),
        TdsType::DateTime => plain(TypeId::DateTimeN, 8),
        TdsType::Date => out.put_u8(TypeId::Date as u8),
        TdsType::Decimal { precision, scale } => {
            out.extend_from_slice(&[TypeId::NumericN as u8, decimal_width(precision) + 1, precision, scale]);
        }
        TdsType::NVarChar(length) => put_sized(out, TypeId::NVarChar, length, 2, true),
        TdsType::NChar(length) => put_sized(out, TypeId::NChar, Length::Of(length), 2, true),
        TdsType::VarChar(length) => put_sized(out, TypeId::BigVarChar, length, 1, true),
        TdsType::VarBinary(length) => put_sized(out, TypeId::BigVarBinary, length, 1, false),
        TdsType::Binary(length) => put_sized(out, TypeId::BigBinary, Length::Of(length), 1, false),
    }
}

fn put_sized(out: &mut BytesMut, id: TypeId, length: Length, unit: u16, collated: bool) {
    out.put_u8(id as u8);
    out.put_u16_le(match length {
        Length::Of(units) => units.saturating_mul(unit),
        Length::Max => u16::MAX,
    });
    if collated {
        out.extend_from_slice(&COLLATION);
    }
}

/// How many bytes a decimal's digits take, without the sign.
const fn decimal_width(precision: u8) -> u8 {
    match precision {
        0..=9 => 4,
        10..=19 => 8,
        20..=28 => 12,
        _ => 16,
    }
}

/// Writes one value (`TYPE_VARBYTE`, MS-TDS section 2.2.5.2.3).
///
/// # Errors
/// [`Misfit`] when the column's type cannot hold the value.
pub(in crate::tds) fn encode_value(column: &Column, value: &TdsValue, out: &mut BytesMut) -> Result<(), Misfit> {
    try_encode(column.kind, value, out).ok_or_else(|| Misfit::Value { value: value.clone(), kind: column.kind })
}

fn try_encode(kind: TdsType, value: &TdsValue, out: &mut BytesMut) -> Option<()> {
    match (kind, value) {
        (TdsType::Null, TdsValue::Null) => {}
        (_, TdsValue::Null) => put_null(kind, out),
        (TdsType::Bit, TdsValue::Bit(bit)) => out.extend_from_slice(&[1, u8::from(*bit)]),
        (TdsType::TinyInt, TdsValue::Int(number)) => out.extend_from_slice(&[1, u8::try_from(*number).ok()?]),
        (TdsType::SmallInt, TdsValue::Int(number)) => put_short(out, &i16::try_from(*number).ok()?.to_le_bytes()),
        (TdsType::Int, TdsValue::Int(number)) => put_short(out, &i32::try_from(*number).ok()?.to_le_bytes()),
        (TdsType::BigInt, TdsValue::Int(number)) => put_short(out, &number.to_le_bytes()),
        (TdsType::Real, TdsValue::Real(number)) => put_short(out, &number.to_le_bytes()),
        (TdsType::Float, TdsValue::Float(number)) => put_short(out, &number.to_le_bytes()),
        (TdsType::Decimal { precision, scale }, TdsValue::Decimal { unscaled, scale: own }) => {
            put_decimal(out, precision, rescale(*unscaled, *own, scale)?)?;
        }
        (TdsType::NVarChar(_) | TdsType::NChar(_), TdsValue::Text(text)) => {
            let mut units = BytesMut::new();
            write_utf16_string(&mut units, text);
            put_bytes(kind, &units, out)?;
        }
        (TdsType::VarChar(_), TdsValue::Text(text)) => put_bytes(kind, &encode_varchar(text)?, out)?,
        (TdsType::VarBinary(_) | TdsType::Binary(_), TdsValue::Bytes(bytes)) => put_bytes(kind, bytes, out)?,
        (TdsType::UniqueIdentifier, TdsValue::Uuid(uuid)) => put_short(out, &uuid.to_bytes_le()),
        (TdsType::Date, TdsValue::Date(date)) => {
            out.put_u8(3);
            put_date(out, *date)?;
        }
        (TdsType::Time(scale), TdsValue::Time(time)) => {
            put_length(out, time_width(scale));
            put_time(out, *time, scale);
        }
        (TdsType::DateTime2(scale), TdsValue::DateTime(moment)) => {
            put_length(out, time_width(scale) + 3);
            put_time(out, moment.time(), scale);
            put_date(out, moment.date())?;
        }
        (TdsType::DateTimeOffset(scale), TdsValue::DateTimeOffset(moment)) => {
            put_length(out, time_width(scale) + 5);
            put_time(out, moment.naive_utc().time(), scale);
            put_date(out, moment.naive_utc().date())?;
            out.put_i16_le(i16::try_from(moment.offset().local_minus_utc() / 60).ok()?);
        }
        (TdsType::DateTime, TdsValue::DateTime(moment)) => {
            out.put_u8(8);
            put_datetime(out, *moment)?;
        }
        _ => return None,
    }
    Some(())
}

fn put_length(out: &mut BytesMut, length: usize) {
    out.put_u8(u8::try_from(length).unwrap_or(u8::MAX));
}

fn put_short(out: &mut BytesMut, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_null(kind: TdsType, out: &mut BytesMut) {
    match kind {
        TdsType::NVarChar(Length::Max) | TdsType::VarChar(Length::Max) | TdsType::VarBinary(Length::Max) => {
            out.put_u64_le(u64::MAX);
        }
        TdsType::NVarChar(_) | TdsType::NChar(_) | TdsType::VarChar(_) | TdsType::VarBinary(_) | TdsType::Binary(_) => {
            out.put_u16_le(u16::MAX);
        }
        _ => out.put_u8(0),
    }
}

fn put_bytes(kind: TdsType, bytes: &[u8], out: &mut BytesMut) -> Option<()> {
    let limit = match kind {
        TdsType::NVarChar(Length::Max) | TdsType::VarChar(Length::Max) | TdsType::VarBinary(Length::Max) => {
            put_plp(out, bytes);
            return Some(());
        }
        TdsType::NVarChar(Length::Of(limit)) | TdsType::NChar(limit) => usize::from(limit) * 2,
        TdsType::VarChar(Length::Of(limit)) | TdsType::VarBinary(Length::Of(limit)) | TdsType::Binary(limit) => {
            usize::from(limit)
        }
        _ => return None,
    };
    if bytes.len() > limit {
        return None;
    }
    out.put_u16_le(u16::try_from(bytes.len()).ok()?);
    out.extend_from_slice(bytes);
    Some(())
}

/// The same number with `to` decimals, when that loses no digit.
fn rescale(unscaled: i128, from: u8, to: u8) -> Option<i128> {
    let factor = |difference: u8| 10_i128.checked_pow(u32::from(difference));
    if to >= from {
        unscaled.checked_mul(factor(to - from)?)
    } else {
        let factor = factor(from - to)?;
        (unscaled % factor == 0).then_some(unscaled / factor)
    }
}

fn put_decimal(out: &mut BytesMut, precision: u8, unscaled: i128) -> Option<()> {
    let digits = unscaled.unsigned_abs();
    if precision > 38 || digits >= 10_u128.pow(u32::from(precision)) {
        return None;
    }
    let width = decimal_width(precision);
    out.extend_from_slice(&[width + 1, u8::from(unscaled >= 0)]);
    out.extend_from_slice(&digits.to_le_bytes()[..usize::from(width)]);
    Some(())
}
