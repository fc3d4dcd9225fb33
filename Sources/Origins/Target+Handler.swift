package import Mesh
package import NIOCore

extension Target {
  /// What answers for this target. Throws `FileFolderError` where a folder cannot be served.
  ///
  /// - Parameters:
  ///   - title: what people call the device.
  ///   - app: how requests reach an app.
  package func makeHandler(
    title: String, app: AppOptions = AppOptions(), eventLoopGroup: any EventLoopGroup
  ) throws -> any ServiceHandler {
    switch self {
    case .app(let address, let base):
      ReverseProxy(to: address, base: base, options: app, eventLoopGroup: eventLoopGroup)
    case .folder(let path, let isListed): try FileFolder(path, title: title, isListed: isListed)
    }
  }
}
