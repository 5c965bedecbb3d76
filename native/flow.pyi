from native.flow_reference import Flow as Flow
