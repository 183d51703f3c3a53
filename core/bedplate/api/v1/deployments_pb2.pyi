from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Step(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STEP_UNSPECIFIED: _ClassVar[Step]
    STEP_UNTOUCHED: _ClassVar[Step]
    STEP_CREATE: _ClassVar[Step]
    STEP_RECONFIGURE: _ClassVar[Step]
    STEP_REWIRE: _ClassVar[Step]
    STEP_RESTART: _ClassVar[Step]
    STEP_REMOVE: _ClassVar[Step]
STEP_UNSPECIFIED: Step
STEP_UNTOUCHED: Step
STEP_CREATE: Step
STEP_RECONFIGURE: Step
STEP_REWIRE: Step
STEP_RESTART: Step
STEP_REMOVE: Step

class DeploymentStatus(_message.Message):
    __slots__ = ("number", "applied", "by", "file_differs")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    FILE_DIFFERS_FIELD_NUMBER: _ClassVar[int]
    number: int
    applied: int
    by: str
    file_differs: str
    def __init__(self, number: _Optional[int] = ..., applied: _Optional[int] = ..., by: _Optional[str] = ..., file_differs: _Optional[str] = ...) -> None: ...

class PlannedStep(_message.Message):
    __slots__ = ("component", "step", "why", "gap_seconds", "machines", "process", "was")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    GAP_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MACHINES_FIELD_NUMBER: _ClassVar[int]
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    WAS_FIELD_NUMBER: _ClassVar[int]
    component: str
    step: Step
    why: str
    gap_seconds: float
    machines: _containers.RepeatedScalarFieldContainer[str]
    process: str
    was: str
    def __init__(self, component: _Optional[str] = ..., step: _Optional[_Union[Step, str]] = ..., why: _Optional[str] = ..., gap_seconds: _Optional[float] = ..., machines: _Optional[_Iterable[str]] = ..., process: _Optional[str] = ..., was: _Optional[str] = ...) -> None: ...

class DeploymentFile(_message.Message):
    __slots__ = ("name", "content", "tables")
    class TablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    content: bytes
    tables: _containers.ScalarMap[str, bytes]
    def __init__(self, name: _Optional[str] = ..., content: _Optional[bytes] = ..., tables: _Optional[_Mapping[str, bytes]] = ...) -> None: ...

class PlanRequest(_message.Message):
    __slots__ = ("file", "number")
    FILE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    file: DeploymentFile
    number: int
    def __init__(self, file: _Optional[_Union[DeploymentFile, _Mapping]] = ..., number: _Optional[int] = ...) -> None: ...

class PlanResponse(_message.Message):
    __slots__ = ("against", "steps", "problems", "notices", "guard")
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    GUARD_FIELD_NUMBER: _ClassVar[int]
    against: int
    steps: _containers.RepeatedCompositeFieldContainer[PlannedStep]
    problems: _containers.RepeatedScalarFieldContainer[str]
    notices: _containers.RepeatedScalarFieldContainer[str]
    guard: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, against: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[PlannedStep, _Mapping]]] = ..., problems: _Optional[_Iterable[str]] = ..., notices: _Optional[_Iterable[str]] = ..., guard: _Optional[_Iterable[str]] = ...) -> None: ...

class ApplyRequest(_message.Message):
    __slots__ = ("file", "number", "if_deployment", "health_seconds")
    FILE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    IF_DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    HEALTH_SECONDS_FIELD_NUMBER: _ClassVar[int]
    file: DeploymentFile
    number: int
    if_deployment: int
    health_seconds: float
    def __init__(self, file: _Optional[_Union[DeploymentFile, _Mapping]] = ..., number: _Optional[int] = ..., if_deployment: _Optional[int] = ..., health_seconds: _Optional[float] = ...) -> None: ...

class ApplyResponse(_message.Message):
    __slots__ = ("component", "step", "state", "text", "number")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    component: str
    step: Step
    state: str
    text: str
    number: int
    def __init__(self, component: _Optional[str] = ..., step: _Optional[_Union[Step, str]] = ..., state: _Optional[str] = ..., text: _Optional[str] = ..., number: _Optional[int] = ...) -> None: ...

class ListDeploymentsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDeploymentsResponse(_message.Message):
    __slots__ = ("deployments",)
    DEPLOYMENTS_FIELD_NUMBER: _ClassVar[int]
    deployments: _containers.RepeatedCompositeFieldContainer[DeploymentStatus]
    def __init__(self, deployments: _Optional[_Iterable[_Union[DeploymentStatus, _Mapping]]] = ...) -> None: ...
