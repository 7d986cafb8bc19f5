"""Somebody who is asked, in tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.model.ask import Answer, Ask, AskKind


@dataclass
class Somebody:
    """Answers in turn, and keeps what was asked. Without an answer left it is a mistake to ask."""

    answers: list[str | Exception] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)

    @classmethod
    def saying(cls, *answers: str | Exception) -> Somebody:
        return cls(list(answers))

    async def ask(self, ask: Ask) -> Answer:
        self.asked.append(ask)
        assert self.answers, f"nobody expected to be asked: {ask.text}"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer)

    @property
    def kinds(self) -> list[AskKind]:
        return [ask.kind for ask in self.asked]
