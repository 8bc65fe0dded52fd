//! Answers that are sent a piece at a time: what many callers are sent is kept once for all of them, and however slowly one reads, no more
//! of it than a piece is copied for him.

use std::convert::Infallible;

use actix_web::body::{BoxBody, MessageBody as _, SizedStream};
use actix_web::web::Bytes;
use futures_util::stream;

/// How many bytes are handed to a connection at once.
const PIECE: usize = 64 << 10;

/// The parts, one after the other. They are shared with whoever else has them, not copied.
pub(crate) fn in_pieces(parts: impl IntoIterator<Item = Bytes>) -> BoxBody {
    let pieces: Vec<Bytes> = parts.into_iter().flat_map(Pieces).collect();
    let size = pieces.iter().map(|piece| piece.len() as u64).sum();
    SizedStream::new(size, stream::iter(pieces.into_iter().map(Ok::<_, Infallible>))).boxed()
}

/// What is left of a part.
struct Pieces(Bytes);

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let piece = self.0.split_to(self.0.len().min(PIECE));
        Some(piece).filter(|piece| !piece.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::{BodySize, to_bytes};

    use super::*;

    #[test]
    fn a_part_is_cut_without_being_copied() {
        for (length, lengths) in
            [(0, vec![]), (1, vec![1]), (PIECE, vec![PIECE]), (2 * PIECE + 1, vec![PIECE, PIECE, 1])]
        {
            let part = Bytes::from(vec![7; length]);
            let pieces: Vec<Bytes> = Pieces(part.clone()).collect();
            assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), lengths);
            assert!(pieces.iter().all(|piece| part.as_ptr_range().contains(&piece.as_ptr())), "{length}");
        }
    }

    #[actix_web::test]
    async fn the_parts_follow_one_another_and_their_length_is_known() {
        let body = in_pieces([Bytes::from_static(b"a"), Bytes::new(), Bytes::from(vec![b'b'; PIECE + 1])]);
        assert_eq!(body.size(), BodySize::Sized(PIECE as u64 + 2));
        let sent = to_bytes(body).await.expect("it is all there");
        assert_eq!((sent.len(), sent[0], sent[PIECE + 1]), (PIECE + 2, b'a', b'b'));
    }
}
