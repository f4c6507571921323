"""Build the tokenizer: one token per Chinese character, word pieces for the rest.

The committed `tokenizer.json` is the reference: the trainer of word pieces breaks ties
at random, so running this file again may change a few rare pieces and with them the
numbers of all tokens. It is needed only when the corpus changes.
"""

import string
from pathlib import Path

from corpus import documents
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer
from transformers import PreTrainedTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = 1500
MAX_LENGTH = 128


def common_characters() -> list[str]:
    """Return the 3,755 common Chinese characters, level 1 of GB 2312."""
    codes = [bytes((r, c)) for r in range(0xB0, 0xD8) for c in range(0xA1, 0xFF)]
    return [text for code in codes if (text := code.decode("gb2312", "ignore"))]


def empty_tokenizer(vocabulary: dict[str, int]) -> Tokenizer:
    """Return a BERT tokenizer with this vocabulary."""
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def learned_pieces(texts: list[str]) -> list[str]:
    """Return the word pieces learned from the English texts, in a fixed order."""
    tokenizer = empty_tokenizer({})
    trainer = WordPieceTrainer(vocab_size=PIECES, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return sorted(tokenizer.get_vocab())


def build_tokenizer(texts: dict[str, list[str]]) -> PreTrainedTokenizerFast:
    """Return the tokenizer for the texts of both languages."""
    latin = string.ascii_lowercase + string.digits
    tokens = SPECIAL + sorted(string.punctuation) + common_characters()
    tokens += [c for letter in latin for c in (letter, f"##{letter}")]
    tokens += sorted({c for text in texts["zh"] for c in text.lower() if c.strip()})
    tokens += learned_pieces(texts["en"])
    tokens = list(dict.fromkeys(tokens))
    tokens += [f"[unused{i}]" for i in range(-len(tokens) % 64)]
    tokenizer = empty_tokenizer({token: i for i, token in enumerate(tokens)})
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )  # fmt: skip
    # ModernBERT has no segment embeddings, so the tokenizer makes no segment ids.
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=MAX_LENGTH,
        model_input_names=["input_ids", "attention_mask"], pad_token="[PAD]",
        unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip


def main() -> None:
    """Build the tokenizer from the corpus and save it beside this file."""
    texts: dict[str, list[str]] = {"zh": [], "en": []}
    for document in documents(50_000):
        texts[document.group[-2:]] += [document.first, document.second]
    build_tokenizer(texts).save_pretrained(Path(__file__).resolve().parent)


if __name__ == "__main__":
    main()
