import FoundationEssentials
import TestKit
import Testing
import XML
import XMPP

@testable import Mesh

/// What a report is on the wire.
@Suite struct DeviceReportTests {
  private static let time = Date(timeIntervalSince1970: 1_000_000)

  @Test(arguments: [
    nil, DeviceReport.Service(isOpen: true, health: .ok), .init(isOpen: false, health: .unknown),
    .init(isOpen: true, health: .down("Connection refused")),
  ])
  func itComesBackAsItWas(_ service: DeviceReport.Service?) {
    let report = DeviceReport(version: "1.2.3", time: Self.time, address: "fe80::1", service: service)
    #expect(DeviceReport(report.element) == report)
    #expect(report.element["time"] == "1970-01-12T13:46:40Z")
  }

  @Test func aQueryNamesItsDevice() {
    #expect(DeviceReport.device(in: DeviceReport.query(JID("tv@pi")!)) == JID("tv@pi"))
    #expect(DeviceReport.device(in: Element("report", namespace: DeviceReport.namespace)) == nil)
    #expect(DeviceReport.device(in: Element("report", namespace: "other", ["device": "tv@pi"])) == nil)
  }

  @Test func whatCannotBeReadIsNone() {
    #expect(DeviceReport(Element("report", namespace: DeviceReport.namespace, ["version": "1"])) == nil)
    #expect(
      DeviceReport(Element("report", namespace: DeviceReport.namespace, ["version": "1", "time": "noon"])) == nil)
  }

  /// A line on a terminal is enough.
  @Test func wordsOfOthersAreCut() {
    let long = String(repeating: "x", count: 5000)
    let service = DeviceReport.Service(isOpen: true, health: .down(long))
    let report = DeviceReport(DeviceReport(version: long, time: Self.time, address: long, service: service).element)
    #expect(report?.version.count == MeshLimits.reportText)
    #expect(report?.address?.count == MeshLimits.reportText)
    #expect(report?.service?.health == .down(String(long.prefix(MeshLimits.reportText))))
  }
}
