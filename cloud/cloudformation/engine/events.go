package engine

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"ouro/cloud/cloudformation/ledger"
	"ouro/cloud/door"
)

// StackEvent is an event of a stack itself.
func StackEvent(stack ledger.Stack, op ledger.Operation, status types.StackStatus, reason string, host door.Host) ledger.Event {
	return ledger.Event{ID: host.NewID(), Time: host.Now(), LogicalID: stack.Name, Physical: stack.ID, Type: nestedType,
		Status: types.ResourceStatus(status), Reason: reason, Token: op.Token, Operation: op.ID}
}

// event is an event of a resource, as its row is now.
func (r *run) event(row *ledger.Resource, physical, reason string) ledger.Event {
	return ledger.Event{ID: row.LogicalID + "-" + string(row.Status) + "-" + row.Time.Format(time.RFC3339Nano), Time: row.Time,
		LogicalID: row.LogicalID, Physical: physical, Type: row.Type, Status: row.Status, Reason: reason, Token: r.op.Token, Operation: r.op.ID}
}

// set gives a row its next status.
func (r *run) set(row *ledger.Resource, status types.ResourceStatus, reason string) {
	row.Status, row.Reason, row.Time, row.Operation = status, reason, r.e.host.Now(), r.op.ID
}
