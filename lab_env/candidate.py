"""Who a mark belongs to, without saying who it is: exam numbers and pseudonyms."""

import re
import unicodedata

from lab_env.errors import LabError

# GB 11643: area, birthday, order, check character. Overlapping matches, because an
# exam number may have further digits on either side.
_IDENTITY_NUMBER = re.compile(r"(?=([1-9]\d{5}(?:19|20)\d{9}[\dX]))", re.ASCII)


def check_candidate(candidate: str) -> str:
    """Return the candidate's number or pseudonym, refusing what names a person."""
    plain = unicodedata.normalize("NFKC", candidate)
    kind = _personal(plain)
    if kind:
        # Masked: this sentence ends up in logs, which must not hold it either.
        raise LabError(
            f'Candidate "{candidate[:3]}…" looks like {kind}, and the record may hold '
            "no personal data; use the exam number （准考证号）."
        )
    if not 1 <= len(plain) <= 64 or plain[0] == "." or not all(map(_allowed, plain)):
        raise LabError(
            f"Candidate {candidate[:80]!r} should be 1 to 64 letters, digits, "
            '"-", "_" or ".", not starting with "."; use the exam number.'
        )
    if plain != candidate:
        raise LabError(
            f'Candidate "{candidate}" holds full-width or compound characters; '
            f'write "{plain}", so that one person has one number.'
        )
    return candidate


def _allowed(character: str) -> bool:
    # Marks belong to letters in Tibetan and many other scripts.
    return character in "-_." or unicodedata.category(character)[0] in "LMN"


def _personal(text: str) -> str | None:
    if "@" in text:
        return "an e-mail address"
    numbers = _IDENTITY_NUMBER.findall(text.upper())
    return "an identity-card number" if any(map(_checks, numbers)) else None


def _checks(number: str) -> bool:
    total = sum(int(digit) << (17 - place) for place, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17]
