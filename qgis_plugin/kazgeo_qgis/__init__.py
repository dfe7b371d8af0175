"""KazGeo's plugin for QGIS. It imports only QGIS and the standard library; analyses run in a process of their own."""


def classFactory(iface):
    """Return the plugin; ``iface`` is None in qgis_process."""
    from kazgeo_qgis.plugin import KazGeoPlugin

    return KazGeoPlugin(iface)
