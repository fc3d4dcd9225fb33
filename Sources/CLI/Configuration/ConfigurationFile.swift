import Origins
import TOMLKit
import XMPP

/// Reads `hearth.toml` strictly: unknown keys, wrong types, duplicate names and bad targets are errors.
enum ConfigurationFile {
  /// The configuration in this file. Throws `ConfigurationError`.
  static func read(_ path: String) throws(ConfigurationError) -> Configuration {
    let bytes: [UInt8]?
    do {
      bytes = try FileBytes.contents(of: path, limit: CLILimits.configurationBytes)
    } catch {
      throw ConfigurationError(file: path, message: "cannot be read: \(error.reason)")
    }
    guard let bytes else { throw ConfigurationError(file: path, message: "no such file") }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError(file: path, message: "is not UTF-8 text")
    }
    return try parse(text, file: path)
  }

  /// `file` is the name for messages.
  static func parse(_ text: String, file: String) throws(ConfigurationError) -> Configuration {
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw ConfigurationError(
        file: file, line: error.source.begin.line, message: "not TOML: \(error.description)")
    } catch {
      throw ConfigurationError(file: file, message: "not TOML: \(error)")
    }
    let root = ConfigurationTable(table: table, path: [], file: file, locator: KeyLocator(document: text))
    try root.allow(["node", "front", "services"])
    var configuration = Configuration()
    if let node = try root.table("node") { configuration.node = try Self.node(node) }
    if let front = try root.table("front") { configuration.front = try Self.front(front) }
    if let services = try root.table("services") {
      configuration.services = try Self.services(services, node: configuration.node)
    }
    return configuration
  }

  private static func node(_ table: ConfigurationTable) throws(ConfigurationError) -> Configuration.NodeSection {
    try table.allow(["name", "machine", "listen", "interfaces"])
    var node = Configuration.NodeSection()
    if let name = try table.string("name") {
      if let problem = DeviceName.problem(with: name) { throw table.failure("name", problem) }
      node.name = name
    }
    if let machine = try table.string("machine") {
      if let problem = DeviceName.problem(with: machine) { throw table.failure("machine", problem) }
      node.machine = machine
      if JID(user: node.name, machine: machine) == nil { throw table.failure("machine", DeviceName.tooLong) }
    }
    node.listen = try table.int("listen", in: CLILimits.listenPorts)
    node.interfaces = try table.strings("interfaces")
    if node.interfaces?.isEmpty == true {
      throw table.failure("interfaces", "is an empty list; name at least one interface, or leave the key out for all")
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

  private static func services(
    _ table: ConfigurationTable, node: Configuration.NodeSection
  ) throws(ConfigurationError) -> [ServiceDefinition] {
    var services: [ServiceDefinition] = []
    for name in table.table.keys.sorted() {
      guard let section = try table.table(name) else { continue }
      let service = try Self.service(section, name: name)
      if let twin = services.first(where: { JID($0.name) == JID(name) }) {
        throw table.failure(name, "the same name as \"\(twin.name)\": upper and lower case do not tell devices apart")
      }
      if JID(name) == JID(node.name) {
        throw table.failure(name, "is the node's own name; give the service, or [node] name, another one")
      }
      if let machine = node.machine, JID(user: name, machine: machine) == nil {
        throw table.failure(name, DeviceName.tooLong)
      }
      services.append(service)
    }
    return services
  }

  private static func service(
    _ table: ConfigurationTable, name: String
  ) throws(ConfigurationError) -> ServiceDefinition {
    try table.allow(["target", "title", "description", "access", "plaintext"])
    if let problem = DeviceName.problem(with: name) { throw table.failure(nil, problem) }
    guard let target = try table.string("target") else {
      throw table.failure(nil, "has no target; add target = \"http://127.0.0.1:8080\", \"unix:/path\" or \"/a/folder\"")
    }
    do {
      _ = try Target(target)
    } catch {
      throw table.failure("target", error.message)
    }
    return ServiceDefinition(
      name: name, target: target, title: try table.string("title"), description: try table.string("description"),
      access: try access(table), plaintext: try table.bool("plaintext") ?? false)
  }

  private static func access(_ table: ConfigurationTable) throws(ConfigurationError) -> Access {
    guard let value = table.table["access"] else { return .friends }
    let wanted = "\"friends\", \"public\" or a list of names, like [\"anna\", \"kitchen-pi\"]"
    if value.type == .array {
      guard let names = try table.strings("access"), !names.isEmpty else {
        throw table.failure("access", "is an empty list; it must be \(wanted)")
      }
      return .only(names)
    }
    guard let word = value.string else { throw table.wrongType("access", value, wanted) }
    switch word {
    case "friends": return .friends
    case "public": return .public
    default: throw table.failure("access", "is \"\(word)\"; it must be \(wanted)")
    }
  }
}
