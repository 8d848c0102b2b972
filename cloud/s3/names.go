package s3

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"ouro/cloud/wire"
	"ouro/regex"
)

const maxKey = 1024 // bytes

var bucketName = regex.New(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// Beginnings and ends that AWS keeps for itself:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var (
	takenPrefixes = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	takenSuffixes = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

func checkBucketName(name string) error {
	_, notAddress := netip.ParseAddr(name)
	ok := bucketName().MatchString(name) && !strings.Contains(name, "..") && notAddress != nil
	for _, p := range takenPrefixes {
		ok = ok && !strings.HasPrefix(name, p)
	}
	for _, p := range takenSuffixes {
		ok = ok && !strings.HasSuffix(name, p)
	}
	if !ok {
		return badRequest("InvalidBucketName", "The specified bucket is not valid.", "BucketName", name)
	}
	return nil
}

func checkKey(key *string) (string, error) {
	switch {
	case key == nil || *key == "":
		return "", badRequest("MissingKey", "The request must name an object key.")
	case len(*key) > maxKey:
		return "", badRequest("KeyTooLongError", "Your key is too long",
			"Size", strconv.Itoa(len(*key)), "MaxSizeAllowed", strconv.Itoa(maxKey))
	case !utf8.ValidString(*key):
		return "", invalidURI()
	}
	return *key, nil
}

func invalidURI() *wire.Error {
	return badRequest("InvalidURI", "Couldn't parse the specified URI.")
}

// objectID names the record of an object's current version. Records of a
// bucket sort as their keys.
func objectID(bucket, key string) string { return bucket + "\x00" + key }

// keyRow begins the names of all records of a key in the tables that hold
// several of them. Zero bytes end the key there, so those within it, and what
// stands for them, are written in another way that sorts alike.
func keyRow(bucket, key string) string { return bucket + "\x00" + escapeKey(key) + "\x00" }

// keyOfRow is the key in a name made by keyRow and what follows it.
func keyOfRow(bucket, row string) string {
	row = row[len(bucket)+1:]
	return unescapeKey(row[:strings.LastIndexByte(row, 0)])
}

var (
	keyEscapes   = strings.NewReplacer("\x00", "\x01\x01", "\x01", "\x01\x02")
	keyUnescapes = strings.NewReplacer("\x01\x01", "\x00", "\x01\x02", "\x01")
)

func escapeKey(key string) string   { return keyEscapes.Replace(key) }
func unescapeKey(key string) string { return keyUnescapes.Replace(key) }
