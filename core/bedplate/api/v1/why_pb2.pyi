from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Whose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WHOSE_UNSPECIFIED: _ClassVar[Whose]
    WHOSE_MACHINE_PROGRAM: _ClassVar[Whose]
    WHOSE_DEVICE: _ClassVar[Whose]
    WHOSE_NETWORK: _ClassVar[Whose]
    WHOSE_PLUGIN: _ClassVar[Whose]
    WHOSE_CONFIGURATION: _ClassVar[Whose]
    WHOSE_STORAGE: _ClassVar[Whose]
    WHOSE_READER: _ClassVar[Whose]
    WHOSE_BEDPLATE: _ClassVar[Whose]
    WHOSE_PERSON: _ClassVar[Whose]
WHOSE_UNSPECIFIED: Whose
WHOSE_MACHINE_PROGRAM: Whose
WHOSE_DEVICE: Whose
WHOSE_NETWORK: Whose
WHOSE_PLUGIN: Whose
WHOSE_CONFIGURATION: Whose
WHOSE_STORAGE: Whose
WHOSE_READER: Whose
WHOSE_BEDPLATE: Whose
WHOSE_PERSON: Whose

class Cause(_message.Message):
    __slots__ = ("subject", "state", "text", "since", "components", "tags", "whose", "hint", "severity")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    WHOSE_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    subject: str
    state: str
    text: str
    since: int
    components: _containers.RepeatedScalarFieldContainer[str]
    tags: int
    whose: Whose
    hint: str
    severity: int
    def __init__(self, subject: _Optional[str] = ..., state: _Optional[str] = ..., text: _Optional[str] = ..., since: _Optional[int] = ..., components: _Optional[_Iterable[str]] = ..., tags: _Optional[int] = ..., whose: _Optional[_Union[Whose, str]] = ..., hint: _Optional[str] = ..., severity: _Optional[int] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: str
    def __init__(self, subject: _Optional[str] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("name", "state", "text")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: str
    text: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("subject", "headline", "cause", "facts", "chain", "also", "effect", "lost", "whose", "whose_text", "actions")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    HEADLINE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    ALSO_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    WHOSE_FIELD_NUMBER: _ClassVar[int]
    WHOSE_TEXT_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    subject: str
    headline: str
    cause: str
    facts: _containers.RepeatedScalarFieldContainer[str]
    chain: _containers.RepeatedCompositeFieldContainer[Link]
    also: _containers.RepeatedScalarFieldContainer[str]
    effect: _containers.RepeatedScalarFieldContainer[str]
    lost: _containers.RepeatedScalarFieldContainer[str]
    whose: Whose
    whose_text: str
    actions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, subject: _Optional[str] = ..., headline: _Optional[str] = ..., cause: _Optional[str] = ..., facts: _Optional[_Iterable[str]] = ..., chain: _Optional[_Iterable[_Union[Link, _Mapping]]] = ..., also: _Optional[_Iterable[str]] = ..., effect: _Optional[_Iterable[str]] = ..., lost: _Optional[_Iterable[str]] = ..., whose: _Optional[_Union[Whose, str]] = ..., whose_text: _Optional[str] = ..., actions: _Optional[_Iterable[str]] = ...) -> None: ...
