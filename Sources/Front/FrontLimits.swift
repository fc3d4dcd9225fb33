/// How long things may take at the front, and what it keeps. Numbers, units, reasons; nothing else decides them.
package enum FrontLimits {
  /// A device that cannot be reached is tried for so long before the user is told: a nap of its Wi-Fi, or a restart.
  static let patience = Duration.seconds(3)
  /// Names of devices that are remembered as they were written: a home has fewer, and a spelling costs some 200 bytes.
  static let knownNames = 256
  /// Devices on servers of which users were told who reads along; beyond, they are told again.
  static let noticed = 256
  /// Forwards of a node. Each is a server with two listening sockets; a home has fewer devices that such programs ask.
  package static let forwards = 64
  /// TCP ports from which a forward gets one that nobody named: what outgoing connections take begins far above (32768), so
  /// that a port which was free is so after a restart.
  package static let forwardPorts = 8400...8599
}
