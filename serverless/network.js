// What the functions need in a VPC, as far as the parameters ask for it: a security group, and endpoints for the
// services of AWS that the functions call.
'use strict';

const sub = (text) => ({ 'Fn::Sub': text });
const logicalNames = { email: 'EmailEndpoint', states: 'StatesEndpoint', secretsmanager: 'SecretsManagerEndpoint' };

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  const { vpc, vpcId, vpcEndpoints, routeTableIds, makesSecurityGroup } =
    await resolveVariable('self:custom.fanmail');
  const Resources = {};
  const Outputs = {};

  if (makesSecurityGroup) {
    Resources.FunctionsSecurityGroup = {
      Type: 'AWS::EC2::SecurityGroup',
      Properties: {
        VpcId: vpcId,
        GroupDescription: `The functions of fanmail-${stage}: nobody connects to them`,
        // The port of the database and the addresses of AWS are not known here.
        SecurityGroupEgress: [{ IpProtocol: '-1', CidrIp: '0.0.0.0/0', Description: 'the database, SES and AWS' }],
      },
    };
    Outputs.FunctionsSecurityGroup = {
      Description: 'The security group of the functions: let it into the security group of the database',
      Value: { 'Fn::GetAtt': ['FunctionsSecurityGroup', 'GroupId'] },
    };
  }

  // Free of charge, unlike the others.
  if (vpcEndpoints.includes('s3')) {
    Resources.S3Endpoint = {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        VpcId: vpcId,
        VpcEndpointType: 'Gateway',
        ServiceName: sub('com.amazonaws.${AWS::Region}.s3'),
        RouteTableIds: routeTableIds,
      },
    };
  }
  const interfaces = vpcEndpoints.filter((name) => name !== 's3');
  if (interfaces.length > 0) {
    Resources.EndpointsSecurityGroup = {
      Type: 'AWS::EC2::SecurityGroup',
      Properties: {
        VpcId: vpcId,
        GroupDescription: `The VPC endpoints of fanmail-${stage}: only its functions connect to them`,
        SecurityGroupIngress: vpc.securityGroupIds.map((SourceSecurityGroupId) => ({
          IpProtocol: 'tcp',
          FromPort: 443,
          ToPort: 443,
          SourceSecurityGroupId,
          Description: 'the functions',
        })),
      },
    };
  }
  for (const name of interfaces) {
    Resources[logicalNames[name]] = {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        VpcId: vpcId,
        VpcEndpointType: 'Interface',
        ServiceName: sub(`com.amazonaws.\${AWS::Region}.${name}`),
        // So that the SDK's own addresses lead to the endpoint. The VPC must have DNS support and DNS hostnames
        // switched on.
        PrivateDnsEnabled: true,
        SubnetIds: vpc.subnetIds,
        SecurityGroupIds: [{ 'Fn::GetAtt': ['EndpointsSecurityGroup', 'GroupId'] }],
      },
    };
  }
  return { Resources, Outputs };
};
