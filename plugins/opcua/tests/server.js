// An OPC UA server on node-opcua, the independent peer of the tests.
// One argument: JSON {port, pki, limits?, items?, policies?, modes?, anonymous?, strict?, bulk?: {count, period},
// history?: {count, most}, capabilities?}. Says {"ready": url} on stdout, then takes one
// JSON command a line on stdin and answers each with one line. Ends when stdin ends.
const opcua = require('node-opcua');
const {DataType, StatusCodes, SecurityPolicy, MessageSecurityMode, VariantArrayType} = opcua;

const options = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

const certificates = async (name) => {
  const manager = new opcua.OPCUACertificateManager({
    rootFolder: `${options.pki}/${name}`, automaticallyAcceptUnknownCertificate: !options.strict});
  await manager.initialize();
  return manager;
};

const addTypes = (ns, folder, nodes) => {
  const enumeration = ns.addEnumerationType({browseName: 'Gear', enumeration: ['Low', 'Middle', 'High']});
  const all = {
    Boolean: [DataType.Boolean, true], SByte: [DataType.SByte, -5], Byte: [DataType.Byte, 250],
    Int16: [DataType.Int16, -30000], UInt16: [DataType.UInt16, 60000], Int32: [DataType.Int32, -2000000000],
    UInt32: [DataType.UInt32, 4000000000], Int64: [DataType.Int64, [0xffffffff, 0xfffffffe]],
    UInt64: [DataType.UInt64, [0xffffffff, 0xfffffffe]], Float: [DataType.Float, 1.5], Double: [DataType.Double, 0.1],
    String: [DataType.String, 'Öl °C'], DateTime: [DataType.DateTime, new Date('2026-03-04T05:06:07.089Z')],
    Guid: [DataType.Guid, '72962B91-FA75-4AE6-8D28-B404DC7DAF63'], ByteString: [DataType.ByteString, Buffer.from([0, 1, 255])],
    LocalizedText: [DataType.LocalizedText, opcua.coerceLocalizedText('läuft')],
  };
  for (const [name, [dataType, value]] of Object.entries(all)) {
    nodes[name] = ns.addVariable({componentOf: folder, browseName: name, nodeId: `s=Types.${name}`, dataType,
      minimumSamplingInterval: 0, value: {dataType, arrayType: VariantArrayType.Scalar, value}});
  }
  nodes.Enum = ns.addVariable({componentOf: folder, browseName: 'Enum', nodeId: 's=Types.Enum', dataType: enumeration.nodeId,
    minimumSamplingInterval: 0, value: {dataType: DataType.Int32, value: 2}});
  nodes.Array = ns.addVariable({componentOf: folder, browseName: 'Array', nodeId: 's=Types.Array', dataType: 'Double', valueRank: 1,
    minimumSamplingInterval: 0, value: {dataType: DataType.Double, arrayType: VariantArrayType.Array, value: new Float64Array([1, 2])}});
};

const addMachine = (ns, folder, nodes) => {
  nodes.Temp = ns.addAnalogDataItem({componentOf: folder, browseName: 'Temp', nodeId: 's=Oil.Temp', dataType: 'Double',
    engineeringUnitsRange: {low: -50, high: 200}, engineeringUnits: opcua.standardUnits.degree_celsius,
    description: 'Temperature of the oil', minimumSamplingInterval: 0});
  nodes.Temp.setValueFromSource({dataType: DataType.Double, value: 20});
  const plain = {Setpoint: ['Double', 1.5], Small: ['Int16', 7], Ratio: ['Float', 0.5], Word: ['String', 'a'], Flag: ['Boolean', false]};
  for (const [name, [dataType, value]] of Object.entries(plain)) {
    nodes[name] = ns.addVariable({componentOf: folder, browseName: name, nodeId: `s=${name}`, dataType,
      minimumSamplingInterval: 0, value: {dataType: DataType[dataType], value}});
  }
  nodes.Fixed = ns.addVariable({componentOf: folder, browseName: 'Fixed', nodeId: 's=Fixed', dataType: 'Double', accessLevel: 'CurrentRead',
    userAccessLevel: 'CurrentRead', value: {dataType: DataType.Double, value: 3}});
  let clamped = 10;  // a machine that takes no more than 80, and says so to nobody
  nodes.Clamped = ns.addVariable({componentOf: folder, browseName: 'Clamped', nodeId: 's=Clamped', dataType: 'Double',
    minimumSamplingInterval: 100, value: {get: () => new opcua.Variant({dataType: DataType.Double, value: clamped}),
      set: (variant) => { clamped = Math.min(variant.value, 80); return StatusCodes.Good; }}});
  nodes.Signal = ns.addVariable({componentOf: folder, browseName: 'Signal', nodeId: 's=Signal', dataType: 'UInt32',
    minimumSamplingInterval: 0, value: {dataType: DataType.UInt32, value: 0}});
  nodes['Odd/Name [1]'] = ns.addVariable({componentOf: folder, browseName: 'Odd/Name [1]', nodeId: 's=Odd', dataType: 'Double',
    value: {dataType: DataType.Double, value: 1}});
};

const addVanishing = (ns, folder, nodes) => {
  nodes.Vanishing = ns.addVariable({componentOf: folder, browseName: 'Vanishing', nodeId: 's=Vanishing', dataType: 'Double',
    minimumSamplingInterval: 0, value: {dataType: DataType.Double, value: 1}});
};

// Variables that the server keeps a history of, of `most` values each.
const addRecorded = (space, ns, root, nodes, {count, most}) => {
  for (let i = 0; i < count; i++) {
    const node = ns.addVariable({componentOf: root, browseName: `Recorded${i}`, nodeId: `s=Recorded${i}`, dataType: 'UInt32',
      minimumSamplingInterval: 0, accessLevel: 'CurrentRead | CurrentWrite | HistoryRead',
      userAccessLevel: 'CurrentRead | CurrentWrite | HistoryRead'});
    space.installHistoricalDataNode(node, {maxOnlineValues: most || 100000});
    node.setValueFromSource({dataType: DataType.UInt32, value: 0}, StatusCodes.Good, new Date('2000-01-01'));
    node.said = [];
    nodes[`Recorded${i}`] = node;
  }
};

// Values as DataValues that are replaced, so that a thousand of them cost the server little.
const addBulk = (ns, root, {count, period}) => {
  const folder = ns.addFolder(root, {browseName: 'Bulk'});
  const all = [];
  for (let i = 0; i < count; i++) {
    all.push(ns.addVariable({componentOf: folder, browseName: `B${i}`, nodeId: `i=${100000 + i}`, dataType: 'Double',
      minimumSamplingInterval: 0, value: {dataType: DataType.Double, value: i}}));
  }
  let turn = 0;
  setInterval(() => {
    turn += 1;
    const now = new Date();
    for (let i = 0; i < count; i++) {
      all[i].setValueFromSource({dataType: DataType.Double, value: i + turn / 1000}, StatusCodes.Good, now);
    }
  }, period);
};

const commands = (server, ns, folder, nodes) => ({
  set: ({node, value, status, time}) => {
    const variable = nodes[node];
    const dataType = variable.readValue().value.dataType;
    const code = StatusCodes[status || 'Good'];
    variable.setValueFromSource({dataType, value}, code, time ? new Date(time) : new Date());
  },
  get: ({node}) => ({value: nodes[node].readValue().value.value, type: DataType[nodes[node].readValue().value.dataType]}),
  remove: ({node}) => ns.deleteNode(nodes[node]),
  add: () => addVanishing(ns, folder, nodes),
  burst: ({node, from, count}) => {
    for (let i = 0; i < count; i++) nodes[node].setValueFromSource({dataType: DataType.UInt32, value: from + i});
  },
  picoseconds: ({node, value}) => {
    const now = new Date();
    nodes[node]._internal_set_dataValue(new opcua.DataValue({value: {dataType: DataType.Double, value},
      statusCode: StatusCodes.Good, sourceTimestamp: now, sourcePicoseconds: 12340, serverTimestamp: now, serverPicoseconds: 56780}));
    return {time: now.getTime()};
  },
  sessions: () => ({sessions: server.engine.currentSessionCount, subscriptions: server.engine.currentSubscriptionCount}),
  ramp: ({node, every}) => {
    let n = 0;
    const timer = setInterval(() => nodes[node].setValueFromSource({dataType: DataType.UInt32, value: ++n}), every);
    nodes[node].ramp = timer;
  },
  record: ({nodes: names, every, from, bad}) => {
    const timer = setInterval(() => {
      for (const name of names) {
        const node = nodes[name], value = (node.said.length ? node.said[node.said.length - 1][0] : from || 0) + 1;
        const now = new Date(), code = bad && value % bad === 0 ? 'UncertainSensorNotAccurate' : 'Good';
        node.setValueFromSource({dataType: DataType.UInt32, value}, StatusCodes[code], now);
        node.said.push([value, now.getTime(), StatusCodes[code].value]);
      }
    }, every);
    for (const name of names) nodes[name].ramp = timer;
  },
  remember: ({node: name, values}) => {
    for (const [value, at] of values) {
      nodes[name].setValueFromSource({dataType: DataType.UInt32, value}, StatusCodes.Good, new Date(at));
      nodes[name].said.push([value, at, 0]);
    }
  },
  said: ({node}) => ({said: nodes[node].said}),
  still: ({node}) => clearInterval(nodes[node].ramp),
  unacknowledged: () => {
    const all = Object.values(server.engine._sessions || {}).flatMap((s) => Object.values(s.publishEngine._subscriptions || {}));
    const newest = all.sort((one, other) => other.id - one.id)[0];
    return {numbers: newest ? newest.getAvailableSequenceNumbers() : []};
  },
  drop_subscriptions: () => {
    for (const session of Object.values(server.engine._sessions || {})) {
      for (const id of Object.keys(session.publishEngine._subscriptions || {})) session.deleteSubscription(+id);
    }
  },
});

(async () => {
  const server = new opcua.OPCUAServer({
    port: options.port, host: '127.0.0.1', hostname: '127.0.0.1', resourcePath: '/test',
    maxConnectionsPerEndpoint: 100,
    serverCertificateManager: await certificates('server'), userCertificateManager: await certificates('users'),
    securityPolicies: (options.policies || ['None', 'Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss']).map((p) => SecurityPolicy[p]),
    securityModes: (options.modes || ['None', 'Sign', 'SignAndEncrypt']).map((m) => MessageSecurityMode[m]),
    allowAnonymous: options.anonymous !== false,
    allowAnonymousSubscriptionTransferOnUnsecuredChannel: false,
    userManager: {isValidUser: (user, password) => user === 'operator' && password === 'oil at 47'},
    serverInfo: {applicationUri: 'urn:bedplate:test:server'},
    serverCapabilities: {maxSessions: 100, maxMonitoredItems: 20000, maxMonitoredItemsPerSubscription: options.items || 20000,
      ...options.capabilities,
      operationLimits: {maxNodesPerRead: 1000, maxMonitoredItemsPerCall: 1000, maxNodesPerBrowse: 1000, ...options.limits}},
  });
  await server.initialize();
  const space = server.engine.addressSpace, ns = space.getOwnNamespace();
  const machine = ns.addObject({organizedBy: space.rootFolder.objects, browseName: 'Machine', nodeId: 's=Machine'});
  const types = ns.addObject({componentOf: machine, browseName: 'Types', nodeId: 's=Types'});
  const nodes = {};
  addTypes(ns, types, nodes);
  addMachine(ns, machine, nodes);
  addVanishing(ns, machine, nodes);
  if (options.history) addRecorded(space, ns, machine, nodes, options.history);
  if (options.bulk) addBulk(ns, space.rootFolder.objects, options.bulk);
  await server.start();
  const answers = commands(server, ns, machine, nodes);
  require('readline').createInterface({input: process.stdin}).on('line', (line) => {
    const command = JSON.parse(line);
    try { say(answers[command.do](command) || {}); } catch (error) { say({error: String(error.stack)}); }
  }).on('close', () => process.exit(0));
  say({ready: `opc.tcp://127.0.0.1:${options.port}/test`, namespace: ns.namespaceUri});
})().catch((error) => { console.error(error); process.exit(1); });
