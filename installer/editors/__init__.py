"""Puts Scumble's plug-ins into Krita and GIMP, finds out how they are doing, and takes them out again.

=============  ==================================================================================
``where``      the editors on this computer: folders, versions, their Python
``wheels``     pyzmq for any Python and system, fetched with pip, checked and unpacked
``payload``    what an installed plug-in consists of
``place``      puts a folder where another one is, or was, so that a broken one never stays
``kritarc``    Krita's settings: one line of them is ours
``plugins``    install, look at and remove one plug-in
``archive``    the zips
``health``     the doctor's findings
``commands``   ``python3 -m installer krita|gimp`` and the plug-ins' part of ``uninstall``
=============  ==================================================================================
"""
