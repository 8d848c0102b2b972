package layer

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"ouro/pipeline"
)

// Clients are the services that layers are made with.
type Clients struct {
	*pipeline.Clients
	Functions  *lambda.Client
	Parameters *ssm.Client
}

// NewClients makes the clients of one endpoint, account and region.
func NewClients(cfg aws.Config) *Clients {
	return &Clients{pipeline.NewClients(cfg), lambda.NewFromConfig(cfg), ssm.NewFromConfig(cfg)}
}
