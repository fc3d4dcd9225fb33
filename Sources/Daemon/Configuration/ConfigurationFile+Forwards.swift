import Front
import HTTPX
import TOMLKit
import XMPP

/// `[forward]`: devices by port.
extension ConfigurationFile {
  static func forwards(
    _ table: ConfigurationTable, front: Configuration.FrontSection
  ) throws(ConfigurationError) -> [Forward] {
    var forwards: [Forward] = []
    for key in table.table.keys.sorted() {
      guard let text = try table.string(key) else { continue }
      guard let port = UInt16(key).map(Int.init), port > 0, "\(port)" == key else {
        throw table.failure(key, "is no port; write PORT = \"user@machine\", with a port from 1 to 65535")
      }
      guard front.enabled else {
        throw table.failure(key, "needs the front: set enabled = true under [front]")
      }
      guard port != front.port else {
        throw table.failure(key, "is the port of the front itself; take another one")
      }
      forwards.append(Forward(port: port, to: try device(text, key, table)))
      guard forwards.count <= FrontLimits.forwards else {
        throw table.failure(key, "is one too many: at most \(FrontLimits.forwards) ports are forwarded")
      }
    }
    return forwards.sorted { $0.port < $1.port }
  }

  private static func device(
    _ text: String, _ key: String, _ table: ConfigurationTable
  ) throws(ConfigurationError) -> JID {
    let uri = try? HTTPXURI(text.hasPrefix("\(HTTPXURI.scheme):") ? text : "\(HTTPXURI.scheme)://\(text)")
    guard let uri, uri.path == "/", uri.fragment == nil else {
      throw table.failure(key, "“\(text)” is no device; write its address, like \"printer@pi\"")
    }
    return uri.jid
  }
}
