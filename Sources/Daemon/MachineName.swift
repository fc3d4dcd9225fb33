import LinkLocal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The machine part of this node's addresses.
enum MachineName {
  /// The configured one, else the host name up to its first dot. Throws `DaemonError` where that can be no name.
  static func of(_ node: Configuration.NodeSection) throws(DaemonError) -> String {
    if let machine = node.machine { return machine }
    let machine = String(hostName.prefix { $0 != "." })
    guard DeviceName.problem(with: machine) == nil, InstanceName(user: node.name, machine: machine) != nil else {
      throw .hostName(machine)
    }
    return machine
  }

  private static var hostName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
