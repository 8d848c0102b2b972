package s3

import (
	"net/http"
	"strconv"

	"ouro/cloud/wire"
)

// problem is an error of the S3 API. details are names and values of further
// elements of the error document.
func problem(status int, code, message string, details ...string) *wire.Error {
	e := &wire.Error{Code: code, Message: message, Status: status}
	for i := 0; i+1 < len(details); i += 2 {
		if e.Fields == nil {
			e.Fields = make(map[string]string, len(details)/2)
		}
		e.Fields[details[i]] = details[i+1]
	}
	return e
}

func badRequest(code, message string, details ...string) *wire.Error {
	return problem(http.StatusBadRequest, code, message, details...)
}

func invalidRequest(message string) *wire.Error { return badRequest("InvalidRequest", message) }

func invalidArgument(message, name, value string) *wire.Error {
	return badRequest("InvalidArgument", message, "ArgumentName", name, "ArgumentValue", value)
}

func malformedXML() *wire.Error {
	return badRequest("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

// notImplemented refuses what this S3 does not do; header is what asked for it.
func notImplemented(header string) *wire.Error {
	return problem(http.StatusNotImplemented, "NotImplemented",
		"A header you provided implies functionality that is not implemented", "Header", header)
}

func noSuchBucket(name string) *wire.Error {
	return problem(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist", "BucketName", name)
}

func noSuchKey(key string) *wire.Error {
	return problem(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.", "Key", key)
}

func noSuchVersion(key, version string) *wire.Error {
	return problem(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.", "Key", key, "VersionId", version)
}

func noSuchUpload(id string) *wire.Error {
	return problem(http.StatusNotFound, "NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", "UploadId", id)
}

func methodNotAllowed(method string) *wire.Error {
	return problem(http.StatusMethodNotAllowed, "MethodNotAllowed",
		"The specified method is not allowed against this resource.", "Method", method, "ResourceType", "DeleteMarker")
}

func accessDenied() *wire.Error {
	return problem(http.StatusForbidden, "AccessDenied", "Access Denied")
}

func preconditionFailed(condition string) *wire.Error {
	return problem(http.StatusPreconditionFailed, "PreconditionFailed",
		"At least one of the pre-conditions you specified did not hold", "Condition", condition)
}

func notModified() *wire.Error {
	return problem(http.StatusNotModified, "NotModified", "Not Modified")
}

func invalidRange(asked string, size int64) *wire.Error {
	return problem(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable",
		"RangeRequested", asked, "ActualObjectSize", strconv.FormatInt(size, 10))
}

func invalidPart(upload string, number int32, etag string) *wire.Error {
	return badRequest("InvalidPart",
		"One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
		"UploadId", upload, "PartNumber", strconv.Itoa(int(number)), "ETag", etag)
}

func entityTooLarge(size int64) *wire.Error {
	return badRequest("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size",
		"ProposedSize", strconv.FormatInt(size, 10), "MaxSizeAllowed", strconv.FormatInt(maxPut, 10))
}

func badDigest(what string) *wire.Error {
	return badRequest("BadDigest", "The "+what+" you specified did not match the calculated checksum.")
}

func aclsNotAllowed() *wire.Error {
	return badRequest("AccessControlListNotSupported", "The bucket does not allow ACLs")
}
