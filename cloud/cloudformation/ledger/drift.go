package ledger

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Detection is a run of drift detection on a whole stack.
type Detection struct {
	ID, Stack string // Stack is its id
	Status    types.StackDriftDetectionStatus
	Reason    string `json:",omitempty"`
	Drift     types.StackDriftStatus
	Drifted   int32
	Time      time.Time
}

// ResourceDrift is what the last detection found on a resource.
type ResourceDrift struct {
	LogicalID, Physical, Type string
	Status                    types.StackResourceDriftStatus
	Expected, Actual          string `json:",omitempty"`
	Differences               []types.PropertyDifference
	Time                      time.Time
}
