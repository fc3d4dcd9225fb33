import Control
import LinkLocal
import Origins
import TOMLKit
import Trust

/// `[services.NAME]`.
extension ConfigurationFile {
  static func services(
    _ table: ConfigurationTable, node: Configuration.NodeSection
  ) throws(ConfigurationError) -> [ServiceDefinition] {
    var services: [ServiceDefinition] = []
    for name in table.table.keys.sorted() {
      guard let section = try table.table(name) else { continue }
      let service = try Self.service(section, name: name)
      if let twin = services.first(where: { InstanceName($0.name) == InstanceName(name) }) {
        throw table.failure(name, "the same name as “\(twin.name)”: upper and lower case do not tell devices apart")
      }
      if InstanceName(name) == InstanceName(node.name) {
        throw table.failure(name, "is the node's own name; give the service, or [node] name, another one")
      }
      if let machine = node.machine, InstanceName(user: name, machine: machine) == nil {
        throw table.failure(name, DeviceName.tooLong)
      }
      services.append(service)
    }
    return services
  }

  private static func service(
    _ table: ConfigurationTable, name: String
  ) throws(ConfigurationError) -> ServiceDefinition {
    try table.allow([
      "target", "title", "description", "access", "public", "methods", "paths", "plaintext", "fingerprint", "insecure",
      "listing",
      "host", "forwarded_for", "gadget", "timeout", "xml",
    ])
    if let problem = DeviceName.problem(with: name) { throw table.failure(nil, problem) }
    guard let target = try table.string("target") else {
      throw table.failure(nil, "has no target; add target = \"http://127.0.0.1:8080\", \"unix:/path\" or \"/a/folder\"")
    }
    let (fingerprint, insecure) = (try table.string("fingerprint"), try table.bool("insecure") ?? false)
    let listing = try table.bool("listing")
    let app = try app(table)
    do throws(TargetError) {
      _ = try Target(target, fingerprint: fingerprint, insecure: insecure, listing: listing, app: app)
    } catch {
      throw table.failure(error.option ?? "target", error.message)
    }
    return ServiceDefinition(
      name: name, target: target, title: try table.string("title"), description: try table.string("description"),
      access: try policy(table), fingerprint: fingerprint, insecure: insecure,
      listing: listing, app: app)
  }

  private static func app(_ table: ConfigurationTable) throws(ConfigurationError) -> AppOptions {
    let word = try table.string("host") ?? AppOptions.Host.app.rawValue
    guard let host = AppOptions.Host(rawValue: word) else {
      throw table.failure("host", "is “\(word)”; it must be \"app\" or \"browser\"")
    }
    return AppOptions(
      host: host, forwardedFor: try table.bool("forwarded_for") ?? false, gadget: try table.bool("gadget") ?? false,
      timeout: try table.int("timeout", in: OriginLimits.timeouts), xml: try table.bool("xml") ?? false)
  }

  private static func policy(_ table: ConfigurationTable) throws(ConfigurationError) -> AccessPolicy {
    var (access, accounts) = try access(table)
    let word = try table.string("public")
    accounts.anyone = try table.checking("public") { () throws(TrustError) in
      let isForServers = try ServiceResource.isForServers(word)
      _ = try AccessPolicy(access: access, accounts: AccountAccess(anyone: isForServers))
      return isForServers
    }
    let methods = try table.strings("methods", like: ["GET", "POST"])
    let paths = try table.strings("paths", like: ["/photos", "/api/"])
    let plaintext = try table.bool("plaintext") ?? false
    // One rule after the other, so that the message names its key.
    _ = try table.checking("methods") { () throws(TrustError) in try AccessPolicy(access: access, methods: methods) }
    _ = try table.checking("paths") { () throws(TrustError) in try AccessPolicy(access: access, paths: paths) }
    return try table.checking("plaintext") { () throws(TrustError) in
      try AccessPolicy(
        access: access, accounts: accounts, methods: methods, paths: paths, plaintext: plaintext)
    }
  }

  private static func access(_ table: ConfigurationTable) throws(ConfigurationError) -> (
    AccessPolicy.Access, AccountAccess
  ) {
    let wanted = "\"friends\", \"public\" or a list of friends' names, like [\"anna\", \"kitchen-pi\"]"
    guard let value = table.table["access"] else {
      throw table.failure(nil, "has no access, and nothing is open that nobody opened; add access = \(wanted)")
    }
    if value.type == .array {
      guard let names = try table.strings("access", like: ["anna", "kitchen-pi"]), !names.isEmpty else {
        throw table.failure("access", "is an empty list; it must be \(wanted)")
      }
      return try table.checking("access") { () throws(TrustError) in try AccessPolicy.audience(names) }
    }
    guard let word = value.string else { throw table.wrongType("access", value, wanted) }
    switch word {
    case "friends": return (.friends, .none)
    case "public": return (.public, .none)
    default: throw table.failure("access", "is “\(word)”; it must be \(wanted)")
    }
  }
}
