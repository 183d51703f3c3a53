"""Quality of a sample: OPC UA StatusCodes (OPC 10000-4 §7.39, table of codes in OPC 10000-6 Annex A.2).

The two top bits are the severity; 0 is Good. A column of qualities is uint32.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

GOOD: Final = 0x00000000
UNCERTAIN: Final = 0x40000000
BAD: Final = 0x80000000

NAMES: Final[dict[int, str]] = {
    0x00000000: "Good",
    0x00300000: "GoodClamped",
    0x00960000: "GoodLocalOverride",
    0x00A50000: "GoodNoData",
    0x40000000: "Uncertain",
    0x408F0000: "UncertainNoCommunicationLastUsableValue",
    0x40900000: "UncertainLastUsableValue",
    0x40910000: "UncertainSubstituteValue",
    0x40920000: "UncertainInitialValue",
    0x40930000: "UncertainSensorNotAccurate",
    0x40940000: "UncertainEngineeringUnitsExceeded",
    0x40950000: "UncertainSubNormal",
    0x80000000: "Bad",
    0x80010000: "BadUnexpectedError",
    0x80020000: "BadInternalError",
    0x80030000: "BadOutOfMemory",
    0x80050000: "BadCommunicationError",
    0x80070000: "BadDecodingError",
    0x800A0000: "BadTimeout",
    0x800D0000: "BadServerNotConnected",
    0x801F0000: "BadUserAccessDenied",
    0x80310000: "BadNoCommunication",
    0x80320000: "BadWaitingForInitialData",
    0x80330000: "BadNodeIdInvalid",
    0x80340000: "BadNodeIdUnknown",
    0x80350000: "BadAttributeIdInvalid",
    0x803A0000: "BadNotReadable",
    0x803B0000: "BadNotWritable",
    0x803C0000: "BadOutOfRange",
    0x803D0000: "BadNotSupported",
    0x803E0000: "BadNotFound",
    0x80740000: "BadTypeMismatch",
    0x80890000: "BadConfigurationError",
    0x808A0000: "BadNotConnected",
    0x808B0000: "BadDeviceFailure",
    0x808C0000: "BadSensorFailure",
    0x808D0000: "BadOutOfService",
    0x809B0000: "BadNoData",
    0x80AE0000: "BadConnectionClosed",
}
CODES: Final[dict[str, int]] = {name: code for code, name in NAMES.items()}

UNCERTAIN_LAST_USABLE: Final = CODES["UncertainNoCommunicationLastUsableValue"]
BAD_NO_COMMUNICATION: Final = CODES["BadNoCommunication"]
BAD_WAITING: Final = CODES["BadWaitingForInitialData"]
BAD_TYPE_MISMATCH: Final = CODES["BadTypeMismatch"]
BAD_OUT_OF_RANGE: Final = CODES["BadOutOfRange"]
BAD_DECODING: Final = CODES["BadDecodingError"]
BAD_OUT_OF_SERVICE: Final = CODES["BadOutOfService"]
BAD_DEVICE_FAILURE: Final = CODES["BadDeviceFailure"]

OVERFLOW: Final = 0x00000480
"""InfoType DataValue (bit 10) with the Overflow bit (bit 7), OPC 10000-4 table 177."""


def is_good(code: int) -> bool:
    """Whether the severity bits say Good; info bits such as overflow do not matter."""
    return not code & 0xC0000000


def is_bad(code: int) -> bool:
    return bool(code & BAD)


def good_mask(quality: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """quality: (n,) uint32. Returns (n,) bool, True where Good."""
    return np.equal(np.bitwise_and(quality, np.uint32(0xC0000000)), 0)


def name(code: int) -> str:
    """Name of a code as OPC UA writes it; unknown codes get their severity and number."""
    found = NAMES.get(code & 0xFFFF0000)
    if found is not None:
        return found
    severity = "Bad" if code & BAD else "Uncertain" if code & UNCERTAIN else "Good"
    return f"{severity}(0x{code:08X})"
