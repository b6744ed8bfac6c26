"""The contract that every stage of the decoder keeps, live and in replay alike.

A stage has frozen settings, explicit state and a pure step. In particular

- any split of the input into chunks gives, bit for bit, the output of one block;
- the future never changes the past;
- the input is not mutated;
- an empty chunk gives an empty output;
- non-finite input is repaired by name (`decoding.repair`), so that nothing latches in a filter;
- after `reset` a stage is as new.

``tests/contracts/test_dec_stages.py`` holds every stage to it.
"""

from typing import Protocol, TypeVar, runtime_checkable

Chunk_contra = TypeVar("Chunk_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)


@runtime_checkable
class Stage(Protocol[Chunk_contra, Result_co]):
    """A causal step of the signal's way, fed in chunks of any length."""

    def process(self, chunk: Chunk_contra, /) -> Result_co:
        """Take in what is new, and return what it completes."""
        ...

    def reset(self) -> None:
        """Forget all input: what follows does not continue it (a gap, another recording)."""
        ...
