package resource

import (
	"reflect"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Clients are the SDK clients of one operation: they call with the permissions
// of its stack. Each kind is made once.
type Clients struct {
	Config aws.Config
	made   sync.Map // the client's type → the client
}

// Client is the client that dial makes, as in Client(c, ssm.NewFromConfig).
func Client[C, O any](c *Clients, dial func(aws.Config, ...func(*O)) *C) *C {
	kind := reflect.TypeFor[C]()
	if made, ok := c.made.Load(kind); ok {
		return made.(*C)
	}
	made, _ := c.made.LoadOrStore(kind, dial(c.Config))
	return made.(*C)
}
