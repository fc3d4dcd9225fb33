import Codecs
import HTTPX
import LinkLocal
import TOMLKit
import Trust

/// Reads `hearth.toml` strictly: unknown keys, wrong types, duplicate names and bad targets are errors.
enum ConfigurationFile {
  /// The configuration in this file. Throws `ConfigurationError`.
  static func read(_ path: String) throws(ConfigurationError) -> Configuration {
    try parse(try text(of: path), file: path)
  }

  /// Throws `ConfigurationError` where it is missing, or no text.
  static func text(of path: String) throws(ConfigurationError) -> String {
    let bytes: [UInt8]?
    do {
      bytes = try FileBytes.contents(of: path, limit: DaemonLimits.configurationBytes, mayWait: true)
    } catch {
      throw ConfigurationError(file: path, message: "cannot be read: \(error.reason)")
    }
    guard let bytes else { throw ConfigurationError(file: path, message: "no such file") }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError(file: path, message: "is not UTF-8 text")
    }
    return text
  }

  /// `file` is the name for messages.
  static func root(_ text: String, file: String) throws(ConfigurationError) -> ConfigurationTable {
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw ConfigurationError(
        file: file, line: error.source.begin.line, message: "not TOML: \(error.description)")
    } catch {
      throw ConfigurationError(file: file, message: "not TOML: \(error)")
    }
    return ConfigurationTable(table: table, path: [], file: file, locator: KeyLocator(document: text))
  }

  /// `file` is the name for messages.
  static func parse(_ text: String, file: String) throws(ConfigurationError) -> Configuration {
    let root = try root(text, file: file)
    try root.allow([
      "node", "front", "limits", "transfer", "log", "metrics", "account", "component", "forward", "services",
    ])
    var configuration = Configuration()
    if let node = try root.table("node") { configuration.node = try Self.node(node) }
    if let front = try root.table("front") { configuration.front = try Self.front(front) }
    if let limits = try root.table("limits") { configuration.limits = try Self.limits(limits) }
    if let transfer = try root.table("transfer") { configuration.transfer = try Self.transfer(transfer) }
    if let log = try root.table("log") { configuration.log = try Self.log(log) }
    if let metrics = try root.table("metrics") {
      configuration.metrics = try Self.metrics(metrics, front: configuration.front)
    }
    if let account = try root.table("account") { configuration.account = try Self.account(account) }
    if let component = try root.table("component") { configuration.component = try Self.component(component) }
    if let forward = try root.table("forward") {
      configuration.forwards = try Self.forwards(forward, front: configuration.front)
    }
    if let services = try root.table("services") {
      configuration.services = try Self.services(services, node: configuration.node)
    }
    return configuration
  }

  private static func node(_ table: ConfigurationTable) throws(ConfigurationError) -> Configuration.NodeSection {
    try table.allow(["name", "machine", "listen", "interfaces", "requests"])
    var node = Configuration.NodeSection()
    if let name = try table.string("name") {
      if let problem = DeviceName.problem(with: name) { throw table.failure("name", problem) }
      node.name = name
    }
    if let machine = try table.string("machine") {
      if let problem = DeviceName.problem(with: machine) { throw table.failure("machine", problem) }
      node.machine = machine
      if InstanceName(user: node.name, machine: machine) == nil { throw table.failure("machine", DeviceName.tooLong) }
    }
    node.listen = try table.int("listen", in: DaemonLimits.listenPorts)
    node.interfaces = try table.strings("interfaces", like: ["eth0", "wlan0"])
    if node.interfaces?.isEmpty == true {
      throw table.failure("interfaces", "is an empty list; name at least one interface, or leave the key out for all")
    }
    if let word = try table.string("requests") {
      guard let mode = RequestMode(rawValue: word) else {
        throw table.failure("requests", "is “\(word)”; it must be \"ask\", \"reject\" or \"accept\"")
      }
      node.requests = mode
    }
    return node
  }

  private static func front(_ table: ConfigurationTable) throws(ConfigurationError) -> Configuration.FrontSection {
    try table.allow(["enabled", "port"])
    var front = Configuration.FrontSection()
    front.enabled = try table.bool("enabled") ?? front.enabled
    front.port = try table.int("port", in: 1...65535) ?? front.port
    return front
  }

  private static func log(_ table: ConfigurationTable) throws(ConfigurationError) -> Configuration.LogSection {
    try table.allow(["access"])
    var log = Configuration.LogSection()
    log.access = try table.bool("access") ?? log.access
    return log
  }

  private static func metrics(
    _ table: ConfigurationTable, front: Configuration.FrontSection
  ) throws(ConfigurationError) -> Configuration.MetricsSection {
    try table.allow(["listen"])
    let port = try table.int("listen", in: 1...65535)
    guard !front.enabled || port != front.port else {
      throw table.failure("listen", "is the port of the front; take another one")
    }
    return .init(listen: port)
  }

  private static func transfer(
    _ table: ConfigurationTable
  ) throws(ConfigurationError) -> Configuration.TransferSection {
    try table.allow(["prefer"])
    guard let words = try table.strings("prefer", like: BodyMechanism.standard.map(\.rawValue)) else { return .init() }
    let known = BodyMechanism.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    guard !words.isEmpty else {
      throw table.failure("prefer", "is an empty list; name at least one of \(known), or leave the key out")
    }
    var prefer: [BodyMechanism] = []
    for word in words {
      guard let mechanism = BodyMechanism(rawValue: word) else {
        throw table.failure("prefer", "names “\(word)”; it must be a list of \(known)")
      }
      guard !prefer.contains(mechanism) else { throw table.failure("prefer", "names “\(word)” twice") }
      prefer.append(mechanism)
    }
    return .init(prefer: prefer)
  }

  private static func limits(_ table: ConfigurationTable) throws(ConfigurationError) -> Configuration.LimitsSection {
    try table.allow(["memory"])
    var limits = Configuration.LimitsSection()
    guard let text = try table.string("memory") else { return limits }
    let range = DaemonLimits.memory
    guard let bytes = ByteCount.parse(text), range.contains(bytes) else {
      throw table.failure(
        "memory",
        "is “\(text)”; it must be from \"\(range.lowerBound >> 20)MiB\" to \"\(range.upperBound >> 30)GiB\", as in \"64MiB\""
      )
    }
    limits.memory = bytes
    return limits
  }
}
