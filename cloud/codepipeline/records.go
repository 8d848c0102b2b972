package codepipeline

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// pipeline is a pipeline and the state of its stages. Its definition is kept
// for each version.
type pipeline struct {
	Name       string
	ARN        string
	Version    int32
	Created    time.Time
	Updated    time.Time
	Tags       map[string]string `json:",omitempty"`
	Executions int64             // how many were started, which is the newest one's number
	Active     []int64           `json:",omitempty"` // executions not at their end, oldest first
	Stages     map[string]*stage
	Aside      map[string]*stage `json:",omitempty"` // the stages as they were when the mode changed to or from PARALLEL
	Sources    map[string]string `json:",omitempty"` // by source action: the newest revision that was seen
}

// stage is what happens at a stage of a pipeline.
type stage struct {
	Transition transition
	Newest     int64             `json:",omitempty"` // the execution that entered last; how it fared is in its Runs
	Running    []int64           `json:",omitempty"` // executions in the stage: one at most, but in PARALLEL mode
	Inbound    []int64           `json:",omitempty"` // executions that wait before it, oldest first
	Actions    map[string]string `json:",omitempty"` // by action: the record of its latest execution
}

// stageRun is how an execution fares in a stage.
type stageRun struct {
	Status     types.StageExecutionStatus
	Started    time.Time
	Manual     int32                  `json:",omitempty"` // retries by RetryStageExecution
	Automatic  int32                  `json:",omitempty"` // retries by onFailure
	Retry      types.RetryTrigger     `json:",omitempty"` // of the last retry
	RetriedAt  time.Time              `json:",omitzero"`
	Conditions map[when]*conditionRun `json:",omitempty"`
}

// transition is the way into a stage. The zero value is open.
type transition struct {
	Closed    bool      `json:",omitempty"`
	Reason    string    `json:",omitempty"`
	ChangedBy string    `json:",omitempty"`
	ChangedAt time.Time `json:",omitzero"`
}

// location is an object in S3.
type location struct {
	Bucket, Key string
}

// artifact is an artifact of an action and where it lies.
type artifact struct {
	Name string
	location
}

// execution is one run of a pipeline.
type execution struct {
	ID        string
	Number    int64
	Version   int32
	Mode      types.ExecutionMode
	Status    types.PipelineExecutionStatus
	Summary   string `json:",omitempty"`
	Trigger   types.TriggerType
	Detail    string `json:",omitempty"`
	Started   time.Time
	Updated   time.Time
	Stopped   string    `json:",omitempty"` // the reason that StopPipelineExecution gave
	Attempt   int       // 1, and one more for each retry
	RetriedAt time.Time `json:",omitzero"`
	Succeeded []string  `json:",omitempty"` // stages
	Target    string    `json:",omitempty"` // of a rollback: the execution whose revisions come back

	Stage   int                  // index of the stage where it is, or before which it waits
	Inside  bool                 // whether it is in that stage
	Checks  when                 `json:",omitempty"` // the conditions that it passes there, or "" among the actions
	Group   int                  // index of the stage's group of actions that runs
	Current map[string]string    `json:",omitempty"` // by action: its record, for this run of the stage
	Count   int                  // actions and rules started
	Runs    map[string]*stageRun `json:",omitempty"` // by stage

	Variables map[string]string              `json:",omitempty"` // of the pipeline
	Overrides []types.SourceRevisionOverride `json:",omitempty"`
	Git       *gitChange                     `json:",omitempty"` // the push or pull request that started it
	Artifacts map[string]location            `json:",omitempty"`
	Outputs   map[string]map[string]string   `json:",omitempty"` // output variables, by namespace
	Revisions []revision                     `json:",omitempty"`
}

// revision is what a source action found.
type revision struct {
	Action   string
	Artifact string
	ID       string
	Summary  string `json:",omitempty"`
	URL      string `json:",omitempty"`
	Created  time.Time
}

// action is one execution of an action, or of a rule of a stage's condition.
type action struct {
	ID        string
	Execution string
	Number    int64 // of the execution
	Version   int32
	Stage     string
	Name      string
	Condition when `json:",omitempty"` // of a rule
	Status    types.ActionExecutionStatus
	Started   time.Time
	Updated   time.Time
	UpdatedBy string `json:",omitempty"`

	Summary      string `json:",omitempty"`
	Token        string `json:",omitempty"` // of an approval
	ExternalID   string `json:",omitempty"`
	ExternalURL  string `json:",omitempty"`
	LogStream    string `json:",omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`

	Work    *work  `json:",omitempty"` // of an action that a job worker does
	Percent *int32 `json:",omitempty"` // of the work that is done
	Told    bool   `json:",omitempty"` // whether the topic of an approval was told
	Begun   bool   `json:",omitempty"` // whether something was about to be started that no token tells apart

	Revision  *revision         `json:",omitempty"`
	Resolved  map[string]string `json:",omitempty"` // the configuration without variables
	Inputs    []artifact        `json:",omitempty"`
	Outputs   []artifact        `json:",omitempty"`
	Variables map[string]string `json:",omitempty"`

	Declaration types.ActionDeclaration
}

// lastNumber is above every number of an execution. Keys count down from it, so
// that the newest execution comes first.
const lastNumber = 999_999_999_999

func executionKey(name string, number int64) string {
	return fmt.Sprintf("%s/%012d", name, lastNumber-number)
}

func actionKey(name string, number int64, order int) string {
	return fmt.Sprintf("%s/%05d", executionKey(name, number), order)
}

func definitionKey(name string, version int32) string {
	return fmt.Sprintf("%s/%010d", name, version)
}

func (p *pipeline) stage(name string) *stage {
	st := p.Stages[name]
	if st == nil {
		st = &stage{}
		if p.Stages == nil {
			p.Stages = map[string]*stage{}
		}
		p.Stages[name] = st
	}
	return st
}

// run is how the execution fares in a stage.
func (e *execution) run(stage string) *stageRun {
	r := e.Runs[stage]
	if r == nil {
		r = &stageRun{}
		if e.Runs == nil {
			e.Runs = map[string]*stageRun{}
		}
		e.Runs[stage] = r
	}
	return r
}

// kind tells whether the execution is a rollback, which runs one stage again
// with what a former execution brought there.
func (e *execution) kind() types.ExecutionType {
	if e.Target != "" {
		return types.ExecutionTypeRollback
	}
	return types.ExecutionTypeStandard
}

// records are the actions and rules of the stage that the execution is in.
func (e *execution) records() []string {
	keys := slices.Collect(maps.Values(e.Current))
	for _, run := range e.Runs {
		for _, c := range run.Conditions {
			if c.Status == types.ConditionExecutionStatusInProgress {
				keys = slices.AppendSeq(keys, maps.Values(c.Rules))
			}
		}
	}
	return keys
}

// saw keeps the newest revision of a source that was seen.
func (p *pipeline) saw(action, revision string) {
	if p.Sources == nil {
		p.Sources = map[string]string{}
	}
	p.Sources[action] = revision
}

// ended tells whether nothing more happens to the execution by itself.
func (e *execution) ended() bool {
	return e.Status != types.PipelineExecutionStatusInProgress && e.Status != types.PipelineExecutionStatusStopping
}
