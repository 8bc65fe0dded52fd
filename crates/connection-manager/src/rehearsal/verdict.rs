use std::fmt;

use super::Answer;
use crate::credentials::SecretStage;

/// What the answers of a server mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The current version works, and no other is about to take its place.
    Steady,
    /// The current and the pending version work, as with two users who take turns.
    Ready,
    /// The server has the pending version's password already.
    Halfway,
    /// The server does not know the pending version's password yet.
    TooEarly,
    /// The server has the password of before the last promotion.
    Behind,
    /// No version works.
    LockedOut,
    /// The answers that matter were not given.
    Unknown,
}

impl Verdict {
    /// `answers` by stage; a stage that is left out has no version.
    pub(super) fn of(answers: &[(SecretStage, Answer)]) -> Self {
        let answer =
            |stage| answers.iter().find(|(known, _)| *known == stage).map_or(&Answer::None, |(_, answer)| answer);
        let (current, pending) = (answer(SecretStage::Current), answer(SecretStage::Pending));
        match (current, pending, answer(SecretStage::Previous)) {
            (Answer::Unknown(_), ..) | (_, Answer::Unknown(_), _) => Self::Unknown,
            (Answer::Accepted, Answer::None, _) => Self::Steady,
            (Answer::Accepted, Answer::Accepted, _) => Self::Ready,
            (Answer::Accepted, Answer::Rejected(_), _) => Self::TooEarly,
            (_, Answer::Accepted, _) => Self::Halfway,
            (.., Answer::Accepted) => Self::Behind,
            (.., Answer::Unknown(_)) => Self::Unknown,
            (.., Answer::None | Answer::Rejected(_)) => Self::LockedOut,
        }
    }

    /// Whether logins work now and go on working when what is pending is promoted.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Steady | Self::Ready | Self::Halfway)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steady => "logins work with AWSCURRENT, and no rotation is under way",
            Self::Ready => {
                "logins work with AWSCURRENT and with AWSPENDING: a promotion is taken up without a rejected login"
            }
            Self::Halfway => {
                "logins go on with AWSPENDING, after one rejected login of AWSCURRENT in each process: promote AWSPENDING"
            }
            Self::TooEarly => {
                "logins work with AWSCURRENT; were AWSPENDING promoted now, it would be rejected once in each process and \
                 logins would go on with AWSPREVIOUS: give its password to the server first"
            }
            Self::Behind => {
                "logins go on with AWSPREVIOUS, which the next rotation takes away: give AWSCURRENT's password to the server"
            }
            Self::LockedOut => "no version is accepted: new connections cannot be opened",
            Self::Unknown => "what logins would come to cannot be told",
        })
    }
}
