import Account
import Codecs
import TOMLKit
import XMPP

/// `[account]` and `[component]`.
extension ConfigurationFile {
  static func account(_ table: ConfigurationTable) throws(ConfigurationError) -> Configuration.AccountSection {
    try table.allow([
      "jid", "password_file", "server", "tls", "fingerprint", "allow_plain", "relay", "share", "serve", "direct",
    ])
    var account = Configuration.AccountSection()
    account.jid = try jid(table)
    account.passwordFile = try table.string("password_file")
    if let path = account.passwordFile {
      guard path.hasPrefix("/") else {
        throw table.failure(
          "password_file", "is “\(path)”; it must be an absolute path, as in \"/etc/hearth/account.pw\"")
      }
      guard account.jid != nil else {
        throw table.failure("password_file", "is there without a jid: whose password is it?")
      }
    }
    account.server = try server(table)
    if let word = try table.string("tls") {
      guard let security = AccountConfiguration.Security(rawValue: word) else {
        throw table.failure("tls", "is “\(word)”; it must be \"direct\" or \"starttls\"")
      }
      account.tls = security
    }
    account.fingerprint = try fingerprint(table)
    account.allowsPlain = try table.bool("allow_plain") ?? false
    account.isRelay = try table.bool("relay") ?? true
    account.isShared = try table.bool("share") ?? true
    account.served = try table.string("serve")
    account.isDirect = try table.bool("direct") ?? false
    return account
  }

  /// nil where the section is empty, as it is in the file that is installed.
  static func component(_ table: ConfigurationTable) throws(ConfigurationError) -> Configuration.ComponentSection? {
    try table.allow(["domain", "secret_file", "server"])
    guard !table.table.keys.isEmpty else { return nil }
    guard let text = try table.string("domain") else {
      throw table.failure(nil, "has no domain; add domain = \"home.example.org\", as the server has it")
    }
    guard let domain = JID(bare: text), domain.localpart == nil, !text.contains("/") else {
      throw table.failure("domain", "is “\(text)”; it must be a domain, as in \"home.example.org\"")
    }
    guard let file = try table.string("secret_file"), file.hasPrefix("/") else {
      throw table.failure(
        "secret_file", "must be an absolute path, as in \"/etc/hearth/component.secret\": a file of mode 600")
    }
    // Where servers listen for components by default.
    let server = try server(table) ?? .init(host: "127.0.0.1", port: 5347)
    return .init(domain: domain, secretFile: file, server: server)
  }

  private static func jid(_ table: ConfigurationTable) throws(ConfigurationError) -> JID? {
    guard let text = try table.string("jid") else { return nil }
    guard let jid = AccountBook.address(text) else {
      throw table.failure("jid", "is “\(text)”; it must be an address on a server, as in \"pi@example.org\"")
    }
    return jid
  }

  private static func server(
    _ table: ConfigurationTable
  ) throws(ConfigurationError) -> AccountConfiguration.Server? {
    guard let text = try table.string("server") else { return nil }
    let (host, port) = Authority.split(text)
    let bare = host.hasPrefix("[") && host.hasSuffix("]") ? host.dropFirst().dropLast() : host
    guard !bare.isEmpty, !bare.contains("/"), let port = port.flatMap({ Int($0) }), (1...65535).contains(port) else {
      throw table.failure("server", "is “\(text)”; it must be host:port, as in \"xmpp.example.org:5222\"")
    }
    return .init(host: String(bare), port: port)
  }

  private static func fingerprint(_ table: ConfigurationTable) throws(ConfigurationError) -> [UInt8]? {
    guard let text = try table.string("fingerprint") else { return nil }
    guard let bytes = Hexadecimal.decode(text.filter { $0 != ":" }), bytes.count == 32 else {
      throw table.failure(
        "fingerprint", "must be the SHA-256 of a certificate, as `openssl x509 -noout -fingerprint -sha256` prints it")
    }
    return bytes
  }
}
