"""The Krita plugin: Krita 5.1 to 5.3 (PyQt5) and Krita 6 (PyQt6).

======================  ==============================================================================
``interface``           what the docker may call and what it is told
``host``                documents, layers, selections and their pixels, through libkis
``controller``          ties host, job session and choices together, without widgets
``ui``                  the docker
``extension``           what Krita loads: the menu entry, its shortcut and the docker
``entry``               the files that Krita finds first
``qt``                  the one place that knows which PyQt there is
======================  ==============================================================================
"""
