"""What stores and the library say, as Ferry's errors: by code and class, never by wording."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import aiohttp
from botocore import exceptions as foreign  # type: ignore[import-untyped]

from tui.model.error import (
    AlreadyExists,
    AuthenticationFailed,
    HostUnreachable,
    NameTooLong,
    NotEmpty,
    NotFound,
    OutOfSpace,
    PermissionDenied,
    PlaceError,
    PlaceUnavailable,
    Unsupported,
)

if TYPE_CHECKING:
    from tui.model.location import Location

LOST: tuple[type[BaseException], ...] = (
    TimeoutError,
    ConnectionError,
    aiohttp.ClientError,
    foreign.ConnectionError,
    foreign.HTTPClientError,
    foreign.ResponseStreamingError,
    foreign.IncompleteReadError,
)
"""The store was not reached, or went silent."""


class BrokeOff(HostUnreachable):
    """An answer ended in the midst of its bytes. The store may be there all the same."""


@dataclass(frozen=True, slots=True)
class _Told:
    cls: type[PlaceError]
    why: str
    """`{store}` stands for the store, with its host where that is known."""
    remedy: str = ""


_KEYS = "Check the keys and the profile in ~/.aws/credentials (or AWS_…), then retry."
_RIGHTS = "Ask for the right to do it: the bucket's policy or the user's does not grant it."
_LATER = "Wait a little, then retry."
_BUSY = _Told(PlaceUnavailable, "the store is busy", _LATER)
_FAULT = _Told(PlaceUnavailable, "the store has trouble of its own", _LATER)
_FULL = _Told(OutOfSpace, "no space left")
_DENIED = _Told(PermissionDenied, "the store does not allow it", _RIGHTS)
_REGION = _Told(
    PlaceError,
    "it belongs to another region",
    "Name the right region for this endpoint or profile, then retry.",
)
_EXPIRED = _Told(
    AuthenticationFailed, "the keys have expired", "Sign in anew (`aws sso login`, …), then retry."
)
_GONE = _Told(NotFound, "no such file or folder")
_UNKNOWN = _Told(Unsupported, "the store does not know this kind of request")
_TOO_LARGE = _Told(Unsupported, "it is larger than the store allows", "Leave it out, or copy it elsewhere.")
_TAKEN = _Told(AlreadyExists, "something of that name is already there")

_BY_CODE = {
    "NoSuchKey": _GONE,
    "NotFound": _GONE,
    "404": _GONE,
    "NoSuchBucket": _Told(NotFound, "there is no such bucket"),
    "NoSuchUpload": _Told(NotFound, "the half upload has gone"),
    "AccessDenied": _DENIED,
    "AllAccessDisabled": _DENIED,
    "AccountProblem": _DENIED,
    "Forbidden": _DENIED,
    "403": _DENIED,
    "InvalidAccessKeyId": _Told(AuthenticationFailed, "{store} does not know the access key", _KEYS),
    "SignatureDoesNotMatch": _Told(AuthenticationFailed, "{store} knows another secret key", _KEYS),
    "401": _Told(AuthenticationFailed, "{store} does not accept the keys", _KEYS),
    "ExpiredToken": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "InvalidToken": _EXPIRED,
    "RequestTimeTooSkewed": _Told(
        AuthenticationFailed,
        "the clock here and that of {store} differ too much",
        "Set the clock (timedatectl), then retry.",
    ),
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "TemporaryRedirect": _REGION,
    "Redirect": _REGION,
    "301": _REGION,
    "302": _REGION,
    "307": _REGION,
    "400": _Told(PlaceError, "the store does not take the request", _REGION.remedy),
    "PreconditionFailed": _TAKEN,
    "ConditionalRequestConflict": _TAKEN,
    "412": _TAKEN,
    "BucketAlreadyExists": _Told(AlreadyExists, "somebody has a bucket of that name", "Choose another name."),
    "BucketAlreadyOwnedByYou": _TAKEN,
    "BucketNotEmpty": _Told(NotEmpty, "the bucket is not empty"),
    "InvalidBucketName": _Told(
        Unsupported,
        "that is no name for a bucket",
        "Use 3 to 63 lower-case letters, digits, dots and hyphens.",
    ),
    "TooManyBuckets": _Told(
        OutOfSpace, "there may be no more buckets", "Remove one, or have the limit raised."
    ),
    "KeyTooLongError": _Told(NameTooLong, "the path is too long"),
    "QuotaExceeded": _Told(OutOfSpace, "the quota is used up"),
    "EntityTooLarge": _TOO_LARGE,
    "413": _TOO_LARGE,
    "InvalidObjectState": _Told(
        PermissionDenied, "it is in an archive", "Have it restored from the archive first, then retry."
    ),
    "NotImplemented": _UNKNOWN,
    "501": _UNKNOWN,
    "MethodNotAllowed": _DENIED,
    "BadDigest": _Told(PlaceUnavailable, "it was damaged on the way"),
    "SlowDown": _BUSY,
    "ServiceUnavailable": _BUSY,
    "OperationAborted": _BUSY,
    "RequestTimeout": _BUSY,
    "TooManyRequests": _BUSY,
    "429": _BUSY,
    "InternalError": _FAULT,
    "507": _FULL,
    "XMinioStorageFull": _FULL,
}

_CLEAR = (413, 429, 501, 507)
"""What these mean is clear, whatever code of its own a store gives along."""

_NO_KEYS = _Told(
    AuthenticationFailed,
    "no keys for {store} are known",
    "Put them into ~/.aws/credentials (`aws configure`) or the environment (AWS_ACCESS_KEY_ID, …), then retry.",
)


def code_of(error: BaseException | None) -> str:
    """Return the code a store gave with its answer; empty where it gave none."""
    if not isinstance(error, foreign.ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code") or "")


def from_foreign(error: BaseException, doing: str, location: Location, host: str = "") -> PlaceError:
    """Return Ferry's error for one of the library: the sentence becomes "cannot <doing> <location>: …".

    Args:
        host: Where the store is, as far as that is known: locations name it by a word of the configuration.
    """
    told = _told(error)
    why = told.why.replace("{store}", f"the store at {host}" if host else "the store")
    made = told.cls(f"cannot {doing} {location}: {why}", told.remedy, location=location)
    if told.cls is NotFound:
        made.errno = errno.ENOENT
    return made


def has_expired(error: BaseException) -> bool:
    """Say whether keys were right, and are not any more."""
    return _told(error) is _EXPIRED


def _told(error: BaseException) -> _Told:
    if isinstance(error, foreign.ClientError):
        return _by_answer(error)
    if isinstance(error, foreign.SSLError | aiohttp.ClientSSLError):
        return _Told(
            AuthenticationFailed,
            "the certificate of {store} is not trusted",
            "Name the right authority: AWS_CA_BUNDLE.",
        )
    if isinstance(error, foreign.NoCredentialsError | foreign.PartialCredentialsError):
        return _NO_KEYS
    if isinstance(error, foreign.SSOError | foreign.TokenRetrievalError | foreign.CredentialRetrievalError):
        return _EXPIRED
    if isinstance(error, TimeoutError | foreign.ReadTimeoutError):
        return _Told(HostUnreachable, "{store} does not answer")
    if isinstance(error, LOST):
        return _Told(HostUnreachable, "{store} cannot be reached")
    if isinstance(error, foreign.ParamValidationError):
        return _Told(Unsupported, "S3 does not take this name", "Rename it, then retry.")
    return _Told(PlaceError, str(error) or type(error).__name__)


def _by_answer(error: foreign.ClientError) -> _Told:
    code, more = code_of(error), error.response.get("Error", {})
    if (told := _BY_CODE.get(code)) is not None:
        region = more.get("Region") if told is _REGION else None
        return replace(told, why=f"{told.why}: {region}") if region else told
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if (told := _BY_CODE.get(str(status))) is not None and (not code or status in _CLEAR):
        return told
    if status >= 500:
        return _FAULT
    code, said = code or str(status), more.get("Message", "")
    return _Told(PlaceError, f"the store says {code}: {said}" if said else f"the store says {code}")
