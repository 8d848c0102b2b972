package wire

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:generate go run ./gen -models $BOTOCORE_DATA -out models

//go:embed models/*.json
var models embed.FS

// Model is what wire must know of a service beyond the SDK's Go types. The
// tables are boiled down from AWS's API models by the program in gen.
type Model struct {
	Protocol    string               `json:"protocol"` // query, json, rest-xml, rest-json, or smithy-rpc-v2-cbor, of services that also speak the first two
	JSONVersion string               `json:"jsonVersion,omitempty"`
	Target      string               `json:"target,omitempty"` // what X-Amz-Target begins with
	Version     string               `json:"version"`
	Namespace   string               `json:"namespace,omitempty"` // of XML documents
	Lower       bool                 `json:"lower,omitempty"`     // members begin with a small letter
	Statuses    map[string]int       `json:"statuses,omitempty"`  // error code → HTTP status, where it is not 400
	Codes       map[string]string    `json:"codes,omitempty"`     // name of an error's shape → its code in the query protocol, where the two differ
	Operations  map[string]Operation `json:"operations,omitempty"`
	Shapes      map[string]Shape     `json:"shapes,omitempty"` // by Go type name; only what differs from the default
}

// Operation is where a REST operation lives.
type Operation struct {
	Method string `json:"method"`
	URI    string `json:"uri"`              // /{Bucket}/{Key+}?tagging
	Status int    `json:"status,omitempty"` // of success, where it is not 200
}

// Shape tells how the members of a Go struct travel.
type Shape struct {
	Payload string            `json:"payload,omitempty"` // the member that is the body
	Members map[string]Member `json:"members,omitempty"` // by Go field name
}

// Member tells how a member travels, where that is not by its own name in the
// body.
type Member struct {
	In        string `json:"in,omitempty"`        // uri, querystring, header, headers (a prefix), statusCode
	Name      string `json:"name,omitempty"`      // on the wire
	Item      string `json:"item,omitempty"`      // the element of a list's items, where it is not "member"
	Flat      bool   `json:"flat,omitempty"`      // a list without an element around it
	Attribute bool   `json:"attribute,omitempty"` // an XML attribute
	Required  bool   `json:"required,omitempty"`  // of query and header members: tells operations at one URI apart
	Time      string `json:"time,omitempty"`      // iso8601, rfc822, unixTimestamp
	Namespace string `json:"namespace,omitempty"` // of its XML element
}

// LoadModel reads the table of a service by its name in AWS's models, such as
// "codebuild" or "events".
func LoadModel(name string) (*Model, error) {
	b, err := models.ReadFile("models/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("no API model of %q", name)
	}
	m := new(Model)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("reading the API model of %q: %w", name, err)
	}
	return m, nil
}

// Speaks tells whether the service speaks a protocol.
func (m *Model) Speaks(protocol string) bool {
	return m.Protocol == protocol || m.Protocol == rpcCBOR && (protocol == "query" || protocol == "json")
}

// DefaultName is a Go field's name on the wire in a service whose members
// begin with a small letter, or not.
func DefaultName(field string, lower bool) string {
	if lower && field != "" {
		return strings.ToLower(field[:1]) + field[1:]
	}
	return field
}

// member tells how a field of a Go struct travels.
func (m *Model) member(typeName, field string) Member {
	b := m.Shapes[typeName].Members[field]
	if b.Name == "" {
		b.Name = DefaultName(field, m.Lower)
	}
	return b
}
